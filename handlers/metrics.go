package handlers

// Metrics is written next.
type Metrics struct{}

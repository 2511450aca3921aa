// Package transport is what the drivers of forges have in common below their SDKs:
// a token goes to one origin only, answers are read whole and bounded, and
// redirects stay within the origin. What a forge says in its own words, and how
// it says no, is each driver's own.
package transport

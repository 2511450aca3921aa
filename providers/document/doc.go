// Package document reads of a JSON document what somebody asks for, and steps
// over the rest: most of a forge's payload is addresses, routing needs a dozen
// values of it, and the forge waits for the answer.
package document

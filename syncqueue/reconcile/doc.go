// Package reconcile is what work is: it asks the forge what is true now,
// compares that with what is believed, and returns the difference as a value
// for the queue to commit; and it makes targets show what is believed.
//
// Whatever announces a change (a delivery, a poll, a sweep, an operator) only
// names what to look at. Every handler here reads the world anew, so lost,
// doubled and reordered announcements converge.
//
// Nothing is taken away on one reading. A loss that a read implies must agree
// with a second, independent one (losses.go); what cannot be proven is looked
// at again and, in the end, held for an operator. An error, a partial page or
// nonsense changes nothing.
package reconcile

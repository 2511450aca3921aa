// Package drone makes Drone 2.x follow the forge.
//
// A repository appears in Drone only when the user himself synchronizes: there
// is no timer and no way for an administrator to do it for him. So the target
// acts as each affected user, and sends what Drone's Sync button sends, but
// synchronously: the asynchronous form hides every error. What lets it act comes
// from one of the sources in credential.go:
//
//	tokens    each user's own: a folder of files, and those that hookd keeps sealed
//	          because users linked them (link.go) or it made their accounts with
//	          them (provision.go)
//	sessions  minted for one request each, by Drone's own cookie secret (session.go)
//
// A sync goes so:
//
//	look      what does Drone show him already? the administrator's view, no forge call
//	settled?  then nothing is synced: a sync reads his whole list from the forge
//	whoami    is the token his, and is a sync of his running already?
//	guard     would the forge's list, as it is now, take away what nobody explained?
//	sync      POST /api/user/repos, the one call that changes anything
//	verify    the answer is the list that Drone shows now; "synced" proves nothing
//
// Drone believes an empty or shortened list with status 200 and revokes what is
// not in it. It has no lock: of two syncs of one user the one that ends last
// writes back the whole row that it read at its start. Everything careful in
// this package follows from these two facts.
package drone

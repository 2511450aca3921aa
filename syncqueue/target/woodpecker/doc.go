// Package woodpecker makes Woodpecker 3.x follow the forge.
//
// Three things are told apart there. A repository is "active" once somebody who
// administers it on the forge added it; Woodpecker stores no other. A user's
// "permission row" on an active repository lets him open its page, and puts it
// into his list if he may push. The "list of repositories to add" is read live
// from the forge and never stored. So a new repository shows to nobody until it
// is activated, and then only to whoever has a row: rows come with a login, with
// a refresh, or when the user himself opens the page. None comes by itself, and
// no administrator can make one, so the target acts as each affected user, with
// his own token.
//
//	active    what is active? the administrator's view, no forge call
//	look      what does Woodpecker list him already? no forge call
//	judge     what is not active shows to nobody: expected hidden
//	ask       few repositories: each by itself, one forge call, and nothing can be lost
//	guard     would a refresh, as the forge's list is now, take away what nobody explained?
//	refresh   POST /api/user/repos/refresh: reads his whole list and deletes every other row
//	verify    the list again; "Ok" proves nothing
//
// Woodpecker believes an empty or shortened list with status 200. It keeps a row
// when the forge denies one repository, so opening a page never takes anything
// away: only a refresh does. It answers an API path that it does not know with
// status 200 and its page.
//
// What is said here of Woodpecker was read in its source at v3.17.0; the names in
// brackets are files of it.
package woodpecker

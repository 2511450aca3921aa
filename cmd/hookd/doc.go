// Hookd makes new repositories appear in a CI server without anybody pressing
// SYNC: it receives the webhooks of a forge, asks the forge who may see what
// now, and makes the CI server follow.
//
// # The house
//
// A room's root package is vocabulary: types, interfaces and pure functions. Its
// children are drivers, one foreign dependency each. Only this package names
// drivers (wire.go); everybody else holds interfaces.
//
//	cmd/hookd                  this package: commands, configuration, wiring, log
//	handlers                   HTTP in: webhook intake, admin API, health, metrics
//	  dashboard                  the page for people, on the admin listener
//	  why                        why a user sees a repository, or does not
//	providers                  the words of forges: delivery, event, user, repository, access
//	  gitea                      webhooks and API of Gitea and Forgejo
//	  github                     the same of GitHub and GitHub Enterprise Server
//	  gitlab                     the same of GitLab
//	  document                   what is read of a payload without decoding the rest
//	  transport                  what the three have in common below their SDKs: one origin, bounded answers
//	  providerstest              what every forge driver must do; a simulated Gitea, GitHub, GitLab
//	syncqueue                  when work runs: jobs, queue, journal, pool, routing
//	  queuetest                  what every queue must do
//	  reconcile                  what work is: ask the forge, compare, publish, read back
//	  target                     the words of CI servers
//	    command                    a program of the operator's own
//	    drone                      Drone's API, as each affected user
//	    dronedb                    Drone's database, PostgreSQL or SQLite (mode database)
//	    keys                       each user's own token, and one at a time who acts as him
//	    transport                  what the CI servers' APIs have in common: one origin, bounded answers
//	    webhook                    a service of the operator's own (kind http)
//	    woodpecker                 Woodpecker's API, as each affected user
//	    targettest                 what every target must do; a simulated Drone and Woodpecker
//	storage                    what is kept: who holds what, and what changes it
//	  bolt                       queue, journal and catalogue in one bbolt file
//	  memory                     the same without a file, for tests
//	  vault                      users' own tokens, sealed, in a file
//	  storagetest                what every engine must do
//
// Who may import whom is the table in floors_test.go, which is executed.
//
// # One delivery
//
//	forge                 POST /hooks/{provider}
//	  |
//	handlers              verify over the raw bytes, then parse
//	  |                   syncqueue.JobsFor: which subject has to be looked at again
//	storage/bolt          journal, dedupe key and jobs in one synced record, then 202
//	  |
//	syncqueue.Pool        lease a job; what the handler returns ends the lease
//	  |
//	syncqueue/reconcile   ask the forge what is true now; the answer is a Change
//	  |
//	storage/bolt          apply it, end the job, push a publish job for each user whose
//	  |                   list changed: one commit
//	syncqueue/reconcile   publish: make the CI server show it, and read it back
//
// A CI server may announce its users (POST /targets/{target}/events): that is
// verified in the same way and only makes jobs.
//
// A delivery is only an occasion to look, so lost, doubled and reordered ones
// converge. Nothing is taken away but by a complete answer that names its scope.
//
// # This package
//
// main.go is the process, app.go the tree of commands; then one file for each
// command. serve.go and demo.go run the same server (server.go). The
// configuration is read by config_load.go in layers over one table of settings
// (config_settings.go), which the file's reader, the environment's reader,
// `config show`, `config schema` and the reload all go by.
//
// `config import` makes a file: config_import_env.go finds a CI server's
// environment wherever it stands, config_draft.go decides what that means, and
// config_draft_write.go writes it. Files that commands write (outfile.go) are
// whole and synced or not there.
//
// `hooks` and `doctor` ask the forges themselves, with the configured tokens:
// webhooks.go surveys the places that may have our webhooks, webhook_rows.go
// judges what is there, and the running server does both as well
// (watch_hooks.go). What they find are findings (report.go): ok, warn or FAIL.
package main

package providers

// An Event is what a verified delivery says, in hookd's words. It is a hint:
// it names what has to be looked at again and is never itself the truth.
//
// Names are "<event>" or "<event>.<action>" in the field's own words
// ("repository.created", "membership.removed").
type Event struct {
	Name   string `json:"name"`
	Repo   *Repo  `json:"repo,omitempty"`   // the repository it is about
	Org    Org    `json:"org,omitzero"`     // the organization it happened in
	Team   *Team  `json:"team,omitempty"`   // the team it is about
	User   *User  `json:"user,omitempty"`   // whose access it is about, never the sender
	Sender User   `json:"sender,omitzero"`  // who did it
	From   string `json:"from,omitempty"`   // the former path, name or owner
	Effect Effect `json:"effect,omitempty"` // what it may mean for somebody's list
	Detail string `json:"detail,omitempty"` // what a typed payload adds, for people
}

// Effect says what an event may mean for somebody's list of repositories.
type Effect string

// The effects. An event whose effect is EffectNone needs no work.
const (
	EffectNone   Effect = ""
	EffectRepo   Effect = "repo"   // a repository appeared or changed: who has it now?
	EffectGone   Effect = "gone"   // a repository is said to be deleted
	EffectMember Effect = "member" // a user's membership of Repo, Team or Org changed
	EffectLeft   Effect = "left"   // a user is said to have lost it
	EffectUser   Effect = "user"   // a user was renamed, blocked or deleted
	EffectScope  Effect = "scope"  // a team's or organization's whole reach changed
)

// Removes reports whether the event says that somebody lost access, which goes
// before everything else.
func (e Event) Removes() bool { return e.Effect == EffectGone || e.Effect == EffectLeft }

// Details is what a typed payload tells beyond the routing: one line for
// people, and the facts that policies ask for.
type Details struct {
	Summary string            `json:"summary,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`
}

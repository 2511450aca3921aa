package main

import (
	"slices"

	"github.com/hookd/hookd/syncqueue/target"
)

// offboardings are what may become of the account of somebody who left.
var offboardings = []string{string(target.OffboardNever), string(target.OffboardReport), string(target.OffboardDeactivate)}

// offboard checks what is to become of the accounts of people who leave: there
// must be somebody who may end them, and organizations that one can leave.
func (k checker) offboard(prefix string, t *targetConfig) {
	k.oneOf(prefix+"offboard", t.Offboard, offboardings...)
	if t.Offboard == string(target.OffboardNever) {
		if len(t.OffboardAdmins) > 0 {
			k.fault(prefix+"offboard_admins", "offboard_admins says who is not spared, but offboard is never")
		}
		return
	}
	if t.Mode == "database" {
		k.fault(prefix+"offboard", "offboard is for mode api: accounts are none of mode database's business")
		return
	}
	if t.Token == "" && t.TokenFile == "" {
		k.fault(prefix+"offboard", "offboard needs token_file: only an administrator of the CI server may end an account")
	}
	for _, p := range k.c.Providers {
		if p.Name == t.Provider && slices.Contains(p.Orgs, "*") {
			k.fault(prefix+"offboard", `offboard needs provider %s to name its organizations: nobody leaves all of ["*"]`, p.Name)
		}
	}
}

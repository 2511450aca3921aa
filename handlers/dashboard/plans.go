package dashboard

import (
	"context"

	"github.com/hookd/hookd/syncqueue"
)

// planView is a plan that has not ended: a storm that is looked at together.
type planView struct {
	Job, Org, Provider string
	Done, Repos        int
	Calls, Alone       int // to the forge: those to come, and what it would all have been job by job
	Ends               moment
}

// plans lists the plans that wait or run, of the newest scope jobs.
func (p *page) plans(ctx context.Context, _ filter, v *overview) error {
	for _, state := range []syncqueue.State{syncqueue.Leased, syncqueue.Ready, syncqueue.Waiting} {
		jobs, _, err := p.Console.Jobs(ctx, syncqueue.JobQuery{State: state, Kind: syncqueue.KindScope}, "", maxShown)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if j.Plan == nil {
				continue
			}
			v.Plans = append(v.Plans, planView{
				Job: j.ID, Org: clip(j.Subject.String()), Provider: j.Provider, Done: j.Plan.Done, Repos: j.Plan.Total(),
				Calls: j.Plan.Calls(), Alone: j.Plan.Alone(), Ends: at(j.Plan.Ends, p.Now()),
			})
		}
	}
	return nil
}

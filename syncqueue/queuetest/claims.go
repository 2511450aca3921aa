package queuetest

import (
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// A claim is one sentence of the contract.
type claim struct {
	name  string
	check func(*bench)
}

var claims = []claim{
	{"PushJournalsAndQueues", pushJournalsAndQueues},
	{"PushKeepsNothingOfTheCallersBody", pushKeepsNothingOfTheBody},
	{"DuplicateChangesNothing", duplicateChangesNothing},
	{"SameGUIDOfAnotherProviderIsAnotherDelivery", sameGUIDOfAnotherProvider},
	{"DuplicateRevivesDeadJobs", duplicateRevivesDeadJobs},
	{"RepeatAnswersWhatIsKnown", repeatAnswersWhatIsKnown},
	{"KnownLooksWithoutWaking", knownLooksWithoutWaking},
	{"ConcurrentDuplicatesAreOneDelivery", concurrentDuplicates},
	{"DeliveriesWithoutGUIDAreNeverDuplicates", withoutGUID},
	{"JobsOfOneKeyAreOne", jobsOfOneKeyAreOne},
	{"LaterPushDebouncesUpToTheDeadline", laterPushDebounces},
	{"PushWhileLeasedRunsAgain", pushWhileLeasedRunsAgain},
	{"PushWhileLeasedRunsAgainAfterParking", pushWhileLeasedParked},
	{"PushWhileLeasedRunsAgainAfterBurying", pushWhileLeasedBuried},
	{"PushWhileLeasedHurriesAnotherLook", pushWhileLeasedAgain},
	{"PushWhileLeasedSurvivesExpiry", pushWhileLeasedExpired},
	{"PushWhileBackingOffKeepsTheDueTime", pushWhileBackingOff},
	{"NewKeyAfterDoneIsANewJob", newKeyAfterDone},
	{"LowerLanesGoFirst", lowerLanesGoFirst},
	{"OrganizationsTakeTurns", organizationsTakeTurns},
	{"TurnsOfOnePeerAreNotAnothers", turnsArePerPeer},
	{"LeasesOfAPacedPeerAreApart", pacedPeer},
	{"ABlockedLeaseOfAPacedPeerEndsWhenItOpens", pacedPeerOpens},
	{"SameOrganizationOfAnotherProviderIsAnother", sameOrgOfTwoProviders},
	{"JobsOfOnePeerAreLeasedApart", peersAreApart},
	{"LowerLaneIsNotPassedOverForEver", patienceEnds},
	{"UrgentIsRemovalsAndAdditions", urgentOnly},
	{"IdleOrganizationsHaveNothingLeased", idleOrganizationsOnly},
	{"HeldLanesStay", heldLanesStay},
	{"ReadyJobsAreListed", readyIsListed},
	{"PlanTakesOverWhatIsDue", planTakesOver},
	{"PlanLeavesTheRestAlone", planLeavesTheRest},
	{"PlanLosesNoEdge", planLosesNoEdge},
	{"PlanThatFailsGoesOn", failedPlanGoesOn},
	{"WithinAnOrganizationTheLongestDueGoesFirst", longestDueFirst},
	{"FilterNarrows", filterNarrows},
	{"AttemptsAreCountedAtLease", attemptsCountedAtLease},
	{"ReleasedGivesTheAttemptBack", releasedGivesBack},
	{"RetryKeepsTheCause", retryKeepsTheCause},
	{"StaleLeaseIsNoop", staleLeaseIsNoop},
	{"LeaseEndsOnTime", leaseEndsOnTime},
	{"ExtendMovesTheEnd", extendMovesTheEnd},
	{"ExpiredLeaseIsReadyAgain", expiredLease},
	{"FencesRise", fencesRise},
	{"ParkedWaitsForAPush", parkedWaits},
	{"BuriedIsADeadLetter", buriedIsDead},
	{"ReviveForces", reviveForces},
	{"ReviveAndDropRefuseLeasedAndDone", refuseLeasedAndDone},
	{"DropEnds", dropEnds},
	{"PauseStopsLeaseNotIntake", pauseStopsLease},
	{"RecurringJobWaitsAgain", recurring},
	{"RecurringJobPushedMeanwhileRunsAtTheEarlierTime", recurringPushed},
	{"AgainLooksAndKeepsCauses", againLooks},
	{"CausesAreBounded", causesAreBounded},
	{"SinceIsTheOldestDelivery", sinceIsTheOldest},
	{"FollowUpsHaveTheParentsCauses", followUps},
	{"FollowUpOfItselfRunsAgain", followItself},
	{"UniquePrefixFinds", uniquePrefix},
	{"PendingFindsTheJobOfAKey", pendingFinds},
	{"PendingOfListsKeysThatBeginAlike", pendingOfLists},
	{"ListsNewestFirstByCursor", listsNewestFirst},
	{"DeliveriesAreSelected", deliveriesAreSelected},
	{"JobsAreSelected", jobsAreSelected},
	{"BodyComesBackAsItWas", bodyComesBack},
	{"DetailsAreKeptWithTheDelivery", detailsAreKept},
	{"StatsCount", statsCount},
	{"LeaseWakesOnPush", wakesOnPush},
	{"LeaseWakesWhenDue", wakesWhenDue},
	{"LeaseWakesOnResume", wakesOnResume},
	{"LeaseWakesWhenALeaseRunsOut", wakesOnExpiry},
	{"ClockSetBackStallsNothing", clockSetBack},
	{"ClockSetForwardStallsNothing", clockSetForward},
	{"LeaseEndsWithItsContext", leaseEndsWithContext},
	{"OneJobIsLeasedOnce", leasedOnce},
	{"WhatComesBackIsACopy", copies},
	{"DoneJobsStayWithTheirDelivery", doneJobsStay},
	{"DoneJobsWithoutDeliveryGoAfterAnHour", doneJobsGo},
	{"BodiesGoBeforeDeliveries", bodiesGoFirst},
	{"PendingWorkKeepsItsDelivery", pendingKeeps},
	{"ForgottenGUIDIsFresh", forgottenGUID},
}

// durable claims get a function that shuts the engine and opens it again.
var durable = []struct {
	name  string
	check func(b *bench, reopen func())
}{
	{"EverythingIsThereAfterReopening", everythingIsThere},
	{"DuplicateIsRecognisedAfterReopening", duplicateAfterReopening},
	{"FencesRiseAcrossReopening", fencesRiseAcross},
	{"PauseIsDurable", pauseIsDurable},
	{"LeasesOfTheDeadAreReadyAgain", leasesOfTheDead},
	{"TurnsGoOnAfterReopening", turnsGoOn},
}

func everythingIsThere(b *bench, reopen func()) {
	e := b.push("g1", job("1"), in(time.Hour, job("2")))
	parked := b.lease()
	b.complete(parked, syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "no credential"})
	before, err := b.JobsOf(b.ctx, e.Delivery.ID)
	b.ok(err)
	reopen()
	after, err := b.JobsOf(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.diff(after, before)
	d, err := b.Body(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.diff(d, e.Delivery)
	b.none()
	b.sleep(time.Hour)
	b.same(b.lease().Job.Subject.ID, "2")
}

func duplicateAfterReopening(b *bench, reopen func()) {
	e := b.push("g1", job("1"))
	reopen()
	r, err := b.Push(b.ctx, b.entry("g1"), job("1"))
	b.ok(err)
	b.same(r, syncqueue.Receipt{Delivery: e.Delivery.ID})
}

func fencesRiseAcross(b *bench, reopen func()) {
	b.enqueue(job("1"), job("2"))
	first := b.lease()
	reopen()
	if l := b.lease(); l.Fence <= first.Fence {
		b.Fatalf("fence %d after %d", l.Fence, first.Fence)
	}
}

func pauseIsDurable(b *bench, reopen func()) {
	b.enqueue(job("1"))
	b.ok(b.Pause(b.ctx, true))
	reopen()
	b.none()
	b.ok(b.Pause(b.ctx, false))
	reopen()
	b.lease()
}

func leasesOfTheDead(b *bench, reopen func()) {
	b.enqueue(job("1"))
	dead := b.lease()
	reopen()
	j := b.state(dead.Job.ID, syncqueue.Ready)
	b.same(j.Attempts, 1)
	l := b.lease()
	b.same(l.Job.Attempts, 2)
	_, err := b.Complete(b.ctx, dead, syncqueue.Outcome{})
	b.is(err, syncqueue.ErrLost)
}

func turnsGoOn(b *bench, reopen func()) {
	b.enqueue(orgJob("a", "1"), orgJob("a", "2"), orgJob("b", "3"))
	b.same(b.lease().Job.Org, "a")
	reopen()
	b.same(b.lease().Job.Org, "b")
}

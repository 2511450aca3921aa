package keys_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/hookd/hookd/syncqueue/target/keys"
)

func TestOneAtATimeActsAsALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns keys.Turns
		done, err := turns.Take(t.Context(), "ana")
		if err != nil {
			t.Fatal(err)
		}
		if other, err := turns.Take(t.Context(), "li"); err != nil {
			t.Error(err)
		} else {
			other()
		}

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := turns.Take(gone, "ana"); !errors.Is(err, context.Canceled) {
			t.Errorf("whoever went away got %v", err)
		}

		second := false
		go func() {
			done, err := turns.Take(t.Context(), "ANA")
			if err != nil {
				t.Error(err)
				return
			}
			second = true
			done()
		}()
		synctest.Wait()
		if second {
			t.Error("two act as ana at once")
		}
		done()
		synctest.Wait()
		if !second {
			t.Error("the turn was not given back")
		}
	})
}

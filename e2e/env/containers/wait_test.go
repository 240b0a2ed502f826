package containers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An engine says in words of its own that it was not given the time to answer: that is no reason to say it could not.
func TestUntilItsTimeIsUp(t *testing.T) {
	errPatience := errors.New("no longer waited for")
	exit := &ExitError{Service: "grafana", Code: 1}
	for name, tc := range map[string]struct {
		looked error // of a look that the end of the time has cut short
		want   error
	}{
		"the engine's words for it":  {looked: &EngineError{Doing: "look at grafana", Err: errors.New("ask the supervisor: too late")}, want: errPatience},
		"what was seen all the same": {looked: errors.Join(exit, nil), want: exit},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errPatience)
			defer cancel()
			err := until(ctx, func() (bool, error) {
				<-ctx.Done()
				return false, tc.looked
			})
			require.ErrorIs(t, err, tc.want)
		})
	}
	broken := errors.New("the engine is gone")
	require.ErrorIs(t, until(t.Context(), func() (bool, error) { return false, broken }), broken)
}

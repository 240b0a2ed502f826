package docker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
)

func TestOutlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("interrupted")
		ctx, interrupt := context.WithCancelCause(t.Context())
		longer, cancel := outlive(ctx)
		defer cancel()
		interrupt(why)
		time.Sleep(graceTime - time.Second)
		synctest.Wait()
		require.NoError(t, longer.Err(), "what is being made is made to its end")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, why, context.Cause(longer), "an engine that does not answer is not waited for")
	})
}

// An engine that takes connections and never answers must not outlast the run's time.
func TestReachAnEngineThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		defer close(over)
		silent := func() (*testcontainers.DockerProvider, error) {
			<-over
			return nil, nil
		}
		_, err := reach(t.Context(), silent)
		require.EqualError(t, err, "no answer within 20s")
		ctx, interrupt := context.WithCancelCause(t.Context())
		why := errors.New("interrupted")
		interrupt(why)
		_, err = reach(ctx, silent)
		require.Equal(t, why, err)
	})
}

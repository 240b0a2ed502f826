//go:build unix

package processgroup

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// What a command has started holds its output open for as long as it runs.
func TestAllOfAGroupEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*exec.Cmd) error{"interrupted": Interrupt, "killed": Kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			// Not in the background, where shells have commands ignore an interrupt.
			command := exec.CommandContext(ctx, "sh", "-c", `sh -c "echo started; exec sleep 600"; :`)
			Own(command)
			command.Cancel = func() error { return Kill(command) }
			out, err := command.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, command.Start())
			lines := bufio.NewReader(out)
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "started\n", line)
			require.NoError(t, end(command))
			_, err = lines.ReadByte()
			require.Error(t, err, "somebody still holds the output open")
			require.Error(t, command.Wait())
			require.NoError(t, ctx.Err())
			// What has lost its parent is there until somebody has heard of its end.
			assert.Eventually(t, func() bool { return errors.Is(Kill(command), os.ErrProcessDone) }, time.Minute, time.Millisecond)
		})
	}
}

package beside

import (
	"bytes"
	"sync"
)

const (
	// tailBytes and tailLines bound what is kept of a program's output.
	tailBytes = 1 << 20
	tailLines = 5000
	// lineBytes is where a line without an end is cut.
	lineBytes = 64 << 10
)

// tail keeps the last lines that were written to it. The zero tail is empty.
type tail struct {
	mu    sync.Mutex
	lines []string
	bytes int
	open  []byte // the line that has not ended yet
}

// Write implements io.Writer; it never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for rest := p; len(rest) > 0; {
		piece, after, ended := bytes.Cut(rest, []byte{'\n'})
		room := lineBytes - len(t.open)
		if len(piece) > room {
			piece, after, ended = rest[:room], rest[room:], true
		}
		t.open = append(t.open, piece...)
		if ended {
			t.end()
		}
		rest = after
	}
	return len(p), nil
}

// end closes the open line, and drops the oldest ones that are too many.
func (t *tail) end() {
	line := string(bytes.TrimSuffix(t.open, []byte{'\r'}))
	t.lines = append(t.lines, line)
	t.bytes += len(line)
	t.open = t.open[:0]
	drop := max(0, len(t.lines)-tailLines)
	for i := range drop {
		t.bytes -= len(t.lines[i])
	}
	for t.bytes > tailBytes && drop < len(t.lines)-1 {
		t.bytes -= len(t.lines[drop])
		drop++
	}
	clear(t.lines[:drop]) // the array behind them is kept for a while
	t.lines = t.lines[drop:]
}

// last are the last n lines, the open one included.
func (t *tail) last(n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := append([]string{}, t.lines...)
	if len(t.open) > 0 {
		out = append(out, string(t.open))
	}
	return out[max(0, len(out)-n):]
}

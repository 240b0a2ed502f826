package report

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// IsTerminal says whether a writer is a terminal that can be redrawn.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// Progress is a line that says what is going on and redraws itself. On anything
// but a terminal it says nothing.
type Progress struct {
	mu    sync.Mutex
	out   io.Writer
	shown bool
	stage string
	last  time.Time
}

// NewProgress draws on w if that is a terminal.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{}
	if IsTerminal(w) {
		p.out = w
	}
	return p
}

// Show redraws the line: at each new stage, and at most ten times a second
// within one, so that drawing costs nothing against what is drawn.
func (p *Progress) Show(stage string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, same := time.Now(), stage == p.stage
	p.stage = stage
	if p.out == nil || same && now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last = now
	line := stage + " …"
	if total > 0 {
		line = fmt.Sprintf("%s … %d of %d", stage, done, total)
	}
	p.draw("\r\x1b[K" + Clean(line))
	p.shown = true
}

// Stage is what was going on last, "" before anything was.
func (p *Progress) Stage() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stage
}

// Clear removes the line.
func (p *Progress) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.draw("\r\x1b[K")
		p.shown = false
	}
}

// draw gives up drawing for good when the terminal is gone; the run goes on.
func (p *Progress) draw(s string) {
	if _, err := io.WriteString(p.out, s); err != nil {
		p.out = nil
	}
}

// Package browser takes pictures of pages with a Chromium or Chrome of this machine,
// which runs without a window for as long as pictures are taken, on a profile of its
// own that is removed with it.
//
// The browser itself reaches no network. A page is a file, or every request of it is
// handed to the caller, who answers it as far as it is to be answered: whatever login
// that takes is never known to the browser.
package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/panelgate/panelgate/fakes/processgroup"
	"github.com/panelgate/panelgate/internal/scratch"
)

const (
	// startTime is how long the browser may take until it can be talked to.
	startTime = 30 * time.Second
	// stopTime is how long what it started may hold on to its output or its files.
	stopTime = 5 * time.Second
	// sandboxVariable does without the sandbox where the machine does not allow one.
	sandboxVariable = "PANELGATE_CHROMIUM_NO_SANDBOX"
)

// Browser is one that runs.
type Browser struct {
	dir    string // everything that it writes
	cmd    *exec.Cmd
	ended  chan struct{}
	heard  *listener
	ctx    context.Context //nolint:containedctx // chromedp knows a browser by its context
	cancel context.CancelFunc
}

// Start starts the program that Find has found. It is killed, with everything that it
// has started, when the context ends or on Close, which is to be called in any case.
func Start(ctx context.Context, program string) (_ *Browser, err error) {
	dir, err := scratch.In(temporary(os.TempDir()))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	b := &Browser{dir: dir, ended: make(chan struct{}), heard: &listener{address: make(chan string, 1)}, cancel: func() {}}
	b.cmd = command(ctx, program, dir)
	b.cmd.Stderr = b.heard
	if err := b.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", program, why(ctx, err)), os.RemoveAll(dir))
	}
	go func() {
		defer close(b.ended)
		_ = b.cmd.Wait() // it is always killed, and what it said before is what matters
	}()
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	select {
	case address := <-b.heard.address:
		if err := b.connect(ctx, address); err != nil {
			return nil, err
		}
		return b, nil
	case <-b.ended:
		if ctx.Err() != nil {
			return nil, fmt.Errorf("start %s: %w", program, context.Cause(ctx))
		}
		return nil, fmt.Errorf("%s does not start: %s%s", program, b.heard.last(), sandboxRemedy(b.heard.last()))
	case <-time.After(startTime):
		return nil, fmt.Errorf("%s does not answer within %s: %s", program, startTime, b.heard.last())
	}
}

func (b *Browser) hasEnded() bool {
	select {
	case <-b.ended:
		return true
	default:
		return false
	}
}

// temporary is where a browser can put its files: it makes a socket among them, whose
// path has to be short.
func temporary(usual string) string {
	const (
		longest = 104 // of a socket's path, on the strictest system
		below   = "/panelgate-4194304-1234567890/org.chromium.Chromium.123456/SingletonSocket"
		short   = "/tmp"
	)
	if _, err := os.Stat(short); err != nil || len(usual)+len(below) < longest {
		return usual
	}
	return short
}

// command is the browser's, in a group of processes that can be killed as one.
func command(ctx context.Context, program, dir string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, arguments(dir)...) //nolint:gosec // the program is the user's choice
	cmd.Env = environment(os.Environ(), dir)
	cmd.WaitDelay = stopTime
	processgroup.Own(cmd)
	dieWithParent(cmd)
	cmd.Cancel = func() error { return processgroup.Kill(cmd) }
	return cmd
}

func arguments(dir string) []string {
	args := []string{
		"--headless", "--remote-debugging-port=0", "--user-data-dir=" + filepath.Join(dir, "profile"),
		// Not even an address: requests of pages are answered by the caller, and it is
		// to do nothing of its own accord.
		"--host-resolver-rules=MAP * ~NOTFOUND", "--no-proxy-server",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
		"--disable-domain-reliability", "--no-pings", "--no-first-run", "--no-default-browser-check", "--disable-breakpad",
		"--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider",
		// The same picture on every machine.
		"--force-color-profile=srgb", "--hide-scrollbars", "--mute-audio", "--disable-gpu", "--font-render-hinting=none",
		"--password-store=basic", "--use-mock-keychain",
		"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
		"--disable-dev-shm-usage", // containers have little of it
	}
	if os.Geteuid() == 0 || os.Getenv(sandboxVariable) != "" {
		args = append(args, "--no-sandbox") // refused to root, and where namespaces are not allowed
	}
	return append(args, "about:blank")
}

// environment is this process's without what is meant for this process, logins above
// all, and with a home of its own.
func environment(environ []string, dir string) []string {
	out := []string{"HOME=" + dir, "TMPDIR=" + dir}
	for _, kv := range environ {
		switch name, _, _ := strings.Cut(kv, "="); {
		case strings.HasPrefix(name, "PANELGATE_"), strings.HasPrefix(name, "XDG_"), name == "HOME", name == "TMPDIR":
		default:
			out = append(out, kv)
		}
	}
	return out
}

func sandboxRemedy(said string) string {
	if !strings.Contains(strings.ToLower(said), "sandbox") {
		return ""
	}
	return "; where this machine allows it no sandbox, as in some containers, set " + sandboxVariable + "=1"
}

func (b *Browser) connect(ctx context.Context, address string) error {
	remote, cancelRemote := chromedp.NewRemoteAllocator(ctx, address, chromedp.NoModifyURL)
	session, cancelSession := chromedp.NewContext(remote)
	b.ctx, b.cancel = session, func() { cancelSession(); cancelRemote() }
	if err := chromedp.Run(session); err != nil {
		return fmt.Errorf("talk to the browser: %w", why(ctx, err))
	}
	return nil
}

// why is the reason of an error that may only say that a context has ended.
func why(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Close kills the browser with everything that it has started and removes what it has
// written. It may be called more than once.
func (b *Browser) Close() error {
	err := processgroup.Kill(b.cmd)
	<-b.ended
	b.cancel()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("stop the browser: %w", err)
	}
	return errors.Join(err, remove(b.dir))
}

// remove removes a directory into which what was just killed may still write.
func remove(dir string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(stopTime); ; <-tick.C {
		err := os.RemoveAll(dir)
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("remove the browser's profile: %w", err)
		}
	}
}

// listener hears in what the browser prints where it can be talked to.
type listener struct {
	address chan string

	mu   sync.Mutex
	said []byte
}

// Write implements io.Writer.
func (l *listener) Write(p []byte) (int, error) {
	const most = 16 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.said) > most {
		return len(p), nil
	}
	l.said = append(l.said, p...)
	const announced = "DevTools listening on "
	if _, rest, ok := bytes.Cut(l.said, []byte(announced)); ok {
		if line, _, whole := bytes.Cut(rest, []byte("\n")); whole {
			select {
			case l.address <- strings.TrimSpace(string(line)):
			default: // it has been told
			}
		}
	}
	return len(p), nil
}

// last is the last thing that the browser has printed, or what it says it died of.
func (l *listener) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := "it printed nothing"
	for line := range strings.Lines(string(l.said)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.Contains(line, ":FATAL:"):
			return line
		case line != "":
			last = line
		}
	}
	return last
}

package beside

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/panelgate/panelgate/fakes/plan"
)

const (
	// endGrace is how long the program has to end when the supervisor does.
	endGrace = 10 * time.Second
	// readTime is how long a request's head may take.
	readTime = 10 * time.Second
	// maxBody bounds what is read of a request but for files.
	maxBody = plan.MaxBytes + 1<<20
)

// Options say how a supervisor runs.
type Options struct {
	Token     string // who shows it may tell the supervisor what to do; never ""
	HostsFile string // usually /etc/hosts
	Root      string // files are unpacked below it, usually /
}

// Serve answers on the listener until ctx ends; then the program is ended, and everything closed.
func Serve(ctx context.Context, listener net.Listener, o Options) error {
	if o.Token == "" {
		return errors.Join(fmt.Errorf("no token: set %s", TokenVariable), listener.Close())
	}
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &supervisor{Options: o, ctx: serving, forwards: map[string]*forwarding{}}
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: readTime, ErrorLog: log.New(&s.log, "beside: ", 0)}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { stopped <- server.Close() })
	err := server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		err = <-stopped
	} else {
		stop()
		err = errors.Join(err, server.Close())
	}
	cancel()
	s.end()
	s.running.Wait()
	return err
}

// supervisor is the state of a container.
type supervisor struct {
	Options
	ctx     context.Context //nolint:containedctx // what is served here lasts as long as the supervisor, not as a request
	log     tail
	running sync.WaitGroup

	unpacking sync.Mutex // two archives at once could write into one file

	mu       sync.Mutex
	start    Start
	child    *child
	planned  bool
	forwards map[string]*forwarding // by what is listened on
}

// forwarding is a port that is passed on.
type forwarding struct {
	to     string
	cancel context.CancelFunc
	closed chan struct{}
}

// isOver says whether nothing is passed on any more.
func (f *forwarding) isOver() bool {
	select {
	case <-f.closed:
		return true
	default:
		return false
	}
}

func (s *supervisor) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathFiles, s.files)
	mux.HandleFunc("PUT "+pathHosts, s.hosts)
	mux.HandleFunc("POST "+pathStart, s.begin)
	mux.HandleFunc("POST "+pathForwards, s.forward)
	mux.HandleFunc("GET "+pathState, s.state)
	mux.HandleFunc("GET "+pathLog, s.tail)
	mux.HandleFunc("POST "+pathExec, s.exec)
	mux.HandleFunc("POST "+pathStop, s.stop)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(s.Token)) != 1 {
			refuse(w, http.StatusUnauthorized, errors.New("this supervisor answers only who knows its token"))
			return
		}
		s.mu.Lock()
		over := s.ctx.Err() != nil
		if !over {
			s.running.Add(1) // before end takes mu, and so before the wait
		}
		s.mu.Unlock()
		if over {
			refuse(w, http.StatusServiceUnavailable, errOver)
			return
		}
		defer s.running.Done()
		mux.ServeHTTP(w, r)
	})
}

// errOver is that the supervisor has ended, and the program with it.
var errOver = errors.New("the supervisor ends")

func (s *supervisor) files(w http.ResponseWriter, r *http.Request) {
	s.unpacking.Lock() // and not mu: an archive takes as long as who sends it
	defer s.unpacking.Unlock()
	if err := Unpack(r.Body, s.Root); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	answer(w, struct{}{})
}

func (s *supervisor) hosts(w http.ResponseWriter, r *http.Request) {
	lines, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHosts))
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := writeHosts(s.HostsFile, string(lines)); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, struct{}{})
}

func (s *supervisor) begin(w http.ResponseWriter, r *http.Request) {
	var start Start
	if !read(w, r, &start) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil { // the request came before the end, which took mu first
		refuse(w, http.StatusServiceUnavailable, errOver)
		return
	}
	if s.child != nil && s.child.isRunning() {
		refuse(w, http.StatusConflict, errors.New("the program runs already"))
		return
	}
	if start.Plan != nil && !s.planned {
		if err := s.serve(start.Plan); err != nil {
			refuse(w, http.StatusUnprocessableEntity, err)
			return
		}
		s.planned = true
	}
	s.start, s.child = start, run(start, &s.log)
	s.running.Go(s.child.wait)
	answer(w, struct{}{})
}

// serve serves a plan for as long as the supervisor lives.
func (s *supervisor) serve(p *plan.Plan) error {
	errorLog := log.New(&s.log, "fakes: ", 0)
	server, err := plan.Open(s.ctx, p, errorLog)
	if err != nil {
		return err
	}
	s.running.Go(func() {
		if err := server.Serve(s.ctx); err != nil {
			errorLog.Print(err)
		}
	})
	return nil
}

func (s *supervisor) forward(w http.ResponseWriter, r *http.Request) {
	var wanted []Forward
	if !read(w, r, &wanted) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range wanted {
		if err := s.passOn(f); err != nil {
			refuse(w, http.StatusUnprocessableEntity, err)
			return
		}
	}
	answer(w, struct{}{})
}

// passOn opens a forward, in place of one on the same port to elsewhere.
func (s *supervisor) passOn(f Forward) error {
	if old := s.forwards[f.Listen]; old != nil {
		if old.to == f.To && !old.isOver() {
			return nil
		}
		old.cancel()
		<-old.closed
		delete(s.forwards, f.Listen)
	}
	var config net.ListenConfig
	listener, err := config.Listen(s.ctx, "tcp", f.Listen)
	if err != nil {
		return fmt.Errorf("pass on %s: %w", f.Listen, err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	n := &forwarding{to: f.To, cancel: cancel, closed: make(chan struct{})}
	s.forwards[f.Listen] = n
	s.running.Go(func() {
		defer close(n.closed)
		defer cancel()
		errorLog := log.New(&s.log, "fakes: ", 0)
		if err := plan.Forward(ctx, listener, f.To, errorLog); err != nil {
			errorLog.Printf("pass on %s: %v", f.Listen, err)
		}
	})
	return nil
}

func (s *supervisor) state(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	now := s.now()
	s.mu.Unlock()
	var err error
	if now.Addresses, err = addresses(); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, now)
}

// now is the state without the addresses.
func (s *supervisor) now() State {
	c := s.child
	if c == nil {
		return State{}
	}
	if c.isRunning() {
		return State{Running: true, Started: c.started}
	}
	return State{Ended: true, ExitCode: c.code, Started: c.started}
}

// addresses are this network's own, IPv4 first.
func addresses() ([]string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	four, six := []string{}, []string{}
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		switch {
		case !ok || !n.IP.IsGlobalUnicast() || onLoopback(n.IP):
		case n.IP.To4() != nil:
			four = append(four, n.IP.String())
		default:
			six = append(six, n.IP.String())
		}
	}
	return append(four, six...), nil
}

// onLoopback says whether an address is the loopback interface's, as those of machines that are not there.
func onLoopback(ip net.IP) bool {
	for _, name := range []string{"lo", "lo0"} {
		i, err := net.InterfaceByName(name)
		if err != nil {
			continue
		}
		list, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range list {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
				return true
			}
		}
	}
	return false
}

func (s *supervisor) tail(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("lines"))
	if err != nil || n < 0 {
		refuse(w, http.StatusBadRequest, errors.New("lines wants a number"))
		return
	}
	answer(w, s.log.last(n))
}

func (s *supervisor) exec(w http.ResponseWriter, r *http.Request) {
	var e Exec
	if !read(w, r, &e) {
		return
	}
	s.mu.Lock()
	beside := s.start
	s.mu.Unlock()
	beside.Argv = e.Argv
	done, err := execute(r.Context(), beside)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, done)
}

func (s *supervisor) stop(w http.ResponseWriter, r *http.Request) {
	var how stop
	if !read(w, r, &how) {
		return
	}
	s.mu.Lock()
	c := s.child
	s.mu.Unlock()
	if c != nil {
		c.stop(time.Duration(how.GraceMS) * time.Millisecond)
	}
	s.state(w, r)
}

// end ends the program with the supervisor.
func (s *supervisor) end() {
	s.mu.Lock()
	c := s.child
	s.mu.Unlock()
	if c != nil {
		c.stop(endGrace)
	}
}

// read reads a request's body, and says where that is not what it should be.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("read the request: %w", err))
		return false
	}
	return true
}

func answer(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(what) // who asked may be gone
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(failure{err.Error()}) // who asked may be gone
}

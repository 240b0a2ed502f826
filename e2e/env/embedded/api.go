package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"github.com/grafana/regexp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/notifications"
	api_v1 "github.com/prometheus/prometheus/web/api/v1"
)

// prometheusVersion is the release whose code this is: module version v0.315.0.
const prometheusVersion = "3.15.0"

// goodbye is how long answers under way may take once the environment closes.
const goodbye = 5 * time.Second

// api is Prometheus' HTTP API and what it shows.
type api struct {
	config   *config.Config
	store    *store
	scrape   *scrape.Manager
	rules    *rules.Manager
	registry *prometheus.Registry
	logger   *slog.Logger

	listener net.Listener
	router   *route.Router
}

// prepare takes a port of the loopback interface that is free and makes what will
// be served there.
func (a *api) prepare() (err error) {
	if a.listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("listen for the Prometheus API: %w", err)
	}
	a.router = route.New()
	ok := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
	a.router.Get("/-/healthy", ok)
	a.router.Get("/-/ready", ok)
	a.router.Get("/metrics", promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{}).ServeHTTP)
	a.v1(a.listener.Addr().String()).Register(a.router.WithPrefix("/api/v1"))
	return nil
}

// close gives the port back where serve never came to.
func (a *api) close() error {
	if a.listener == nil {
		return nil
	}
	if err := a.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the Prometheus API's port: %w", err)
	}
	return nil
}

// serve answers from now on and returns the base URL.
func (e *Env) serve(a *api) string {
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           a.router,
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(a.listener) }()
	e.onClose(func() error {
		cancel() // ends queries; the database must not be closed under them
		grace, done := context.WithTimeout(context.Background(), goodbye)
		defer done()
		err := errors.Join(server.Shutdown(grace), server.Close())
		if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
		if err != nil {
			return fmt.Errorf("stop the Prometheus API: %w", err)
		}
		return nil
	})
	return (&url.URL{Scheme: "http", Host: a.listener.Addr().String()}).String()
}

// v1 makes Prometheus' API. NewAPI's arguments go by position and change from one
// minor release to the next: this call fits v0.315.0, and nothing else in
// panelgate depends on them. Writing by HTTP and the administration of the
// database are off.
func (a *api) v1(address string) *api_v1.API {
	return api_v1.NewAPI(
		a.store.engine, a.store.DB,
		nil, nil, // no appenders
		a.store.DB,
		func(context.Context) api_v1.ScrapePoolsRetriever { return a.scrape },
		func(context.Context) api_v1.TargetRetriever { return a.scrape },
		func(context.Context) api_v1.AlertmanagerRetriever { return noAlertmanagers{} },
		func() config.Config { return *a.config },
		map[string]string{}, // flags
		api_v1.GlobalURLOptions{ListenAddress: address, Host: address, Scheme: "http"},
		func(h http.HandlerFunc) http.HandlerFunc { return h }, // always ready
		databaseStats{a.store.DB, a.store.stats}, a.store.dir,
		false,    // administration
		false, 0, // search
		a.logger,
		func(context.Context) api_v1.RulesRetriever { return a.rules },
		5e7, 10, 1<<20, // remote read: samples, concurrency, bytes in a frame, as by default
		false,                    // agent
		regexp.MustCompile("^$"), // no foreign origin
		runtimeInfo(time.Now(), address),
		&api_v1.PrometheusVersion{Version: prometheusVersion, GoVersion: runtime.Version()},
		func() []notifications.Notification { return nil },
		func() (<-chan notifications.Notification, func(), bool) { return nil, nil, false },
		a.registry, a.registry,
		nil,        // default statistics
		false, nil, // remote write
		false, false, false, // OTLP
		false, // start timestamps as zeros
		lookbackDelta,
		false, false, // type and unit labels, metadata
		nil, nil, // error codes, features
		// Describing itself takes the API longer than all else together, and nobody
		// asks for it here.
		api_v1.OpenAPIOptions{Version: prometheusVersion, IncludePaths: []string{"/features"}},
		a.store.parser,
	)
}

func runtimeInfo(started time.Time, hostname string) func() (api_v1.RuntimeInfo, error) {
	return func() (api_v1.RuntimeInfo, error) {
		return api_v1.RuntimeInfo{
			StartTime:           started,
			Hostname:            hostname,
			ServerTime:          time.Now(),
			ReloadConfigSuccess: true,
			LastConfigTime:      started,
			GoroutineCount:      runtime.NumGoroutine(),
			GOMAXPROCS:          runtime.GOMAXPROCS(0),
		}, nil
	}
}

// noAlertmanagers says that alerts go nowhere.
type noAlertmanagers struct{}

// Alertmanagers implements api_v1.AlertmanagerRetriever.
func (noAlertmanagers) Alertmanagers() []*url.URL { return nil }

// DroppedAlertmanagers implements api_v1.AlertmanagerRetriever.
func (noAlertmanagers) DroppedAlertmanagers() []*url.URL { return nil }

// databaseStats lets the API show the database's figures.
type databaseStats struct {
	*tsdb.DB
	stats *tsdb.DBStats
}

// Stats implements api_v1.TSDBAdminStats.
func (d databaseStats) Stats(label string, limit int) (*tsdb.Stats, error) {
	return d.Head().Stats(label, limit), nil
}

// WALReplayStatus implements api_v1.TSDBAdminStats.
func (d databaseStats) WALReplayStatus() (tsdb.WALReplayStatus, error) {
	return d.stats.Head.WALReplayStatus.GetWALReplayStatus(), nil
}

// BlockMetas implements api_v1.TSDBAdminStats.
func (d databaseStats) BlockMetas() ([]tsdb.BlockMeta, error) { return d.DB.BlockMetas(), nil }

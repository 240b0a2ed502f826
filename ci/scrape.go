package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/panelgate/panelgate/fakes/recording"
)

// mostWait is how long Prometheus waits for an answer unless it is told otherwise.
const mostWait = 10 * time.Second

// scraper asks a real exporter as Prometheus does.
type scraper struct {
	url    string // as asked
	public string // as shown and recorded
	header http.Header
	client *http.Client
}

// newScraper checks an address and takes headers from the environment: a command line is seen by everybody on the machine.
func newScraper(address string, headerEnv []string, every time.Duration) (*scraper, error) {
	public, err := recording.PublicURL(address)
	if err != nil { // which does not show it, as it may hold a secret
		return nil, errors.New("the address is no URL to scrape: want http://HOST:PORT/metrics")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL to scrape: want http://HOST:PORT/metrics", public)
	}
	if _, set := u.User.Password(); set {
		return nil, fmt.Errorf("%s: a login in the url would be seen by everybody on this machine: put it into the environment, as LOGIN='Authorization: Basic …', and name that by --header-env LOGIN", public)
	}
	s := &scraper{url: address, public: public, header: http.Header{}}
	for _, name := range headerEnv {
		key, value, ok := strings.Cut(os.Getenv(name), ":")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, fmt.Errorf("--header-env %s: the variable is not set to a header, as in %s='Authorization: Bearer …'", name, name)
		}
		s.header.Add(key, strings.TrimSpace(value))
	}
	s.client = &http.Client{
		Timeout: min(max(every, time.Second), mostWait),
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if len(via) >= 10 {
				return errors.New("it redirects ten times")
			}
			if len(s.header) > 0 && next.URL.Host != via[0].URL.Host {
				return fmt.Errorf("it redirects to %s, which is not shown the headers of --header-env", next.URL.Host)
			}
			return nil
		},
	}
	return s, nil
}

// acceptedFormats is the Accept header of a Prometheus with its default protocols.
func acceptedFormats() string {
	var out []string
	weight := len(config.ScrapeProtocolsHeaders) + 1
	for _, p := range config.DefaultScrapeProtocols {
		header := config.ScrapeProtocolsHeaders[p]
		if p == config.OpenMetricsText1_0_0 || p == config.PrometheusText1_0_0 {
			header += ";" + model.EscapingKey + "=" + model.AllowUTF8
		}
		out = append(out, fmt.Sprintf("%s;q=0.%d", header, weight))
		weight--
	}
	return strings.Join(append(out, fmt.Sprintf("*/*;q=0.%d", weight)), ",")
}

// scrape asks once, and holds the answer to be a scrape that Prometheus takes.
func (s *scraper) scrape(ctx context.Context) (*recording.Scrape, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	request.Header = s.header.Clone()
	request.Header.Set("Accept", acceptedFormats())
	request.Header.Set("Accept-Encoding", "gzip")
	request.Header.Set("User-Agent", "panelgate/"+version())
	answer, err := s.client.Do(request)
	if err != nil {
		var full *url.Error // whose text has the URL in it, secrets and all
		if errors.As(err, &full) {
			if full.Timeout() {
				return nil, s.tooSlow("no answer")
			}
			err = full.Err
		}
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", answer.Status)
	}
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err == nil && (kind == "text/html" || kind == "application/json") {
		return nil, fmt.Errorf("it answers %s, no scrape: is the path right, and is a login in between?", kind)
	}
	body, err := readBody(answer)
	switch {
	case os.IsTimeout(err) || errors.Is(err, context.DeadlineExceeded):
		return nil, s.tooSlow("no whole answer")
	case err != nil:
		return nil, err
	case len(bytes.TrimSpace(body)) == 0:
		return nil, errors.New("it answers with nothing in it, so it has no series: is the path right? Triton answers so at every path but /metrics")
	}
	out := &recording.Scrape{At: time.Now().UTC().Truncate(time.Millisecond), Status: answer.StatusCode, Header: recording.Kept(answer.Header), Body: body}
	return out, checkScrape(out)
}

// tooSlow says how long was waited, and how that is made longer: between scrapes there is no more time.
func (s *scraper) tooSlow(what string) error {
	text := fmt.Sprintf("%s within %s", what, s.client.Timeout)
	if s.client.Timeout < mostWait {
		text += fmt.Sprintf("; a longer --every waits longer, up to %s", mostWait)
	}
	return errors.New(text)
}

func readBody(answer *http.Response) ([]byte, error) {
	var in io.Reader = answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack the answer: %w", err)
		}
		in = z
	}
	most := recording.DefaultLimits().Body
	body, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > most {
		return nil, fmt.Errorf("the answer is longer than %d bytes", most)
	}
	return body, nil
}

// checkScrape has both Prometheus's parser and that of recordings read a scrape.
func checkScrape(s *recording.Scrape) error {
	if err := (&recording.Recording{Scrapes: []recording.Scrape{*s}}).Validate(recording.Limits{}); err != nil {
		return errors.Unwrap(err) // which scrape it is there says nothing here
	}
	parser, err := textparse.New(s.Body, s.ContentType(), labels.NewSymbolTable(), textparse.ParserOptions{FallbackContentType: "text/plain"})
	if parser == nil {
		return err
	}
	for {
		if _, err := parser.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("what it answers cannot be scraped: %w", err)
		}
	}
}

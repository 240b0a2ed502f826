package beside

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Client tells a supervisor what to do. Its methods are safe for concurrent use; each takes as long as its context lasts.
type Client struct {
	url, token string
	http       *http.Client
}

// New makes a client for the supervisor at a URL, such as http://10.0.0.7:17357.
func New(url, token string, transport http.RoundTripper) *Client {
	return &Client{url: url, token: token, http: &http.Client{Transport: transport}}
}

// Files puts the files of a tar stream, which write writes, into the container.
func (c *Client) Files(ctx context.Context, write func(io.Writer) error) error {
	read, out := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(out)
		written <- errors.Join(err, out.CloseWithError(err))
	}()
	err := c.ask(ctx, http.MethodPost, pathFiles, read, nil)
	err = errors.Join(err, read.CloseWithError(io.ErrClosedPipe))
	if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		return writeErr // of which the other is but the consequence
	}
	return err
}

// Hosts replaces the lines that were told before in the container's hosts file.
func (c *Client) Hosts(ctx context.Context, lines string) error {
	return c.ask(ctx, http.MethodPut, pathHosts, strings.NewReader(lines), nil)
}

// Start runs the container's program. One that cannot be run has ended at once: State and Log say how.
func (c *Client) Start(ctx context.Context, s Start) error {
	return c.send(ctx, pathStart, s, nil)
}

// Forwards passes on what arrives at ports of the container.
func (c *Client) Forwards(ctx context.Context, f []Forward) error {
	return c.send(ctx, pathForwards, f, nil)
}

// State is what has become of the program.
func (c *Client) State(ctx context.Context) (State, error) {
	var s State
	return s, c.ask(ctx, http.MethodGet, pathState, http.NoBody, &s)
}

// Log is the last lines that the program has printed, at most as many.
func (c *Client) Log(ctx context.Context, lines int) ([]string, error) {
	var out []string
	return out, c.ask(ctx, http.MethodGet, pathLog+"?lines="+strconv.Itoa(lines), http.NoBody, &out)
}

// Exec runs a command beside the program. It is killed when ctx ends.
func (c *Client) Exec(ctx context.Context, e Exec) (Done, error) {
	var d Done
	return d, c.send(ctx, pathExec, e, &d)
}

// Stop ends the program: asked to, and killed where it takes longer than grace.
func (c *Client) Stop(ctx context.Context, grace time.Duration) (State, error) {
	var s State
	return s, c.send(ctx, pathStop, stop{grace.Milliseconds()}, &s)
}

func (c *Client) send(ctx context.Context, path string, what, into any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("ask the supervisor: %w", err)
	}
	return c.ask(ctx, http.MethodPost, path, bytes.NewReader(body), into)
}

func (c *Client) ask(ctx context.Context, method, path string, body io.Reader, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return fmt.Errorf("ask the supervisor: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.http.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("ask the supervisor: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was read, or is of no more use
	in := json.NewDecoder(response.Body)
	if response.StatusCode != http.StatusOK {
		var f failure
		if err := in.Decode(&f); err != nil || f.Error == "" {
			return fmt.Errorf("the supervisor answers %s", response.Status)
		}
		return errors.New(f.Error)
	}
	if into == nil {
		return nil
	}
	if err := in.Decode(into); err != nil {
		return fmt.Errorf("read the supervisor's answer: %w", err)
	}
	return nil
}

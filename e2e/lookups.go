package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// lookups remember what variables were filled with: dashboards have the same ones, and
// what fills them does not change while they are asked.
type lookups struct {
	names  memo[model.LabelNames]
	values memo[model.LabelValues]
	series memo[[]model.LabelSet]
	query  memo[model.Value]
}

// through is an API whose look-ups are remembered, nil for nil.
func (l *lookups) through(api promv1.API) promv1.API {
	if api == nil {
		return nil
	}
	return &lookingUp{API: api, lookups: l}
}

// lookingUp is an API that is asked once. What it answers is shared and must not be
// changed.
type lookingUp struct {
	promv1.API
	*lookups
}

// LabelNames implements promv1.API.
func (l *lookingUp) LabelNames(ctx context.Context, matches []string, from, to time.Time, opts ...promv1.Option) (model.LabelNames, promv1.Warnings, error) {
	return l.names.get(l.key(matches, from, to), func() (model.LabelNames, promv1.Warnings, error) {
		return l.API.LabelNames(ctx, matches, from, to, opts...)
	})
}

// LabelValues implements promv1.API.
func (l *lookingUp) LabelValues(ctx context.Context, label string, matches []string, from, to time.Time, opts ...promv1.Option) (model.LabelValues, promv1.Warnings, error) {
	return l.values.get(l.key(label, matches, from, to), func() (model.LabelValues, promv1.Warnings, error) {
		return l.API.LabelValues(ctx, label, matches, from, to, opts...)
	})
}

// Series implements promv1.API.
func (l *lookingUp) Series(ctx context.Context, matches []string, from, to time.Time, opts ...promv1.Option) ([]model.LabelSet, promv1.Warnings, error) {
	return l.series.get(l.key(matches, from, to), func() ([]model.LabelSet, promv1.Warnings, error) {
		return l.API.Series(ctx, matches, from, to, opts...)
	})
}

// Query implements promv1.API.
func (l *lookingUp) Query(ctx context.Context, expr string, at time.Time, opts ...promv1.Option) (model.Value, promv1.Warnings, error) {
	return l.query.get(l.key(expr, at), func() (model.Value, promv1.Warnings, error) {
		return l.API.Query(ctx, expr, at, opts...)
	})
}

// key tells what is asked, and whom.
func (l *lookingUp) key(asked ...any) string { return fmt.Sprintf("%p %q", l.API, asked) }

// memo keeps answers by what was asked. One that is on its way is waited for; an error
// is not kept, so that who asks next asks anew. The zero memo is ready to use.
type memo[T any] struct {
	mu    sync.Mutex
	cells map[string]*cell[T]
}

type cell[T any] struct {
	mu       sync.Mutex
	known    bool
	value    T
	warnings promv1.Warnings
}

func (m *memo[T]) get(key string, ask func() (T, promv1.Warnings, error)) (T, promv1.Warnings, error) {
	m.mu.Lock()
	if m.cells == nil {
		m.cells = map[string]*cell[T]{}
	}
	c := m.cells[key]
	if c == nil {
		c = &cell[T]{}
		m.cells[key] = c
	}
	m.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known {
		return c.value, c.warnings, nil
	}
	value, warnings, err := ask()
	if err == nil {
		c.known, c.value, c.warnings = true, value, warnings
	}
	return value, warnings, err
}

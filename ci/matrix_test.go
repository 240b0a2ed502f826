package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/e2e/matrix"
	"github.com/panelgate/panelgate/stack"
)

// The built-in matrix ends with what the compose file runs, and Renovate finds every
// image of it.
func TestDefaultMatrix(t *testing.T) {
	plan, err := matrix.Parse("matrix.yml", defaultMatrix)
	require.NoError(t, err)
	s, err := stack.Load(t.Context(), "../stack")
	require.NoError(t, err)
	images := 0
	for axis, service := range map[string]*stack.Service{matrix.Grafana: s.Grafana.Service, matrix.Prometheus: s.Prometheus.Service} {
		values := plan.Axis(axis).Values
		images += len(values)
		assert.Equal(t, service.Image.Value, values[len(values)-1].Image, "raise ci/matrix.yml and stack/docker-compose.yml together")
	}
	cells, err := plan.Cells()
	require.NoError(t, err)
	assert.Len(t, cells, plan.Combinations())
	renovate, err := os.ReadFile("../renovate.json")
	require.NoError(t, err)
	pattern := `image: (?<depName>[a-z0-9./-]+):(?<currentValue>v?[0-9.]+)\n`
	assert.Contains(t, string(renovate), strings.ReplaceAll(pattern, `\`, `\\`))
	assert.Len(t, regexp.MustCompile(pattern).FindAll(defaultMatrix, -1), images)
}

func TestLoadedImage(t *testing.T) {
	for answer, want := range map[string]string{
		`{"stream":"Loaded image: local/prom:2.42\n"}`:                                 "local/prom:2.42",
		`{"status":"Loading layer"} {"stream":"Loaded image ID: sha256:abc\n"}`:        "sha256:abc",
		`{"stream":"Loaded image: a:1\n"}` + "\n" + `{"stream":"Loaded image: b:1\n"}`: "error: it has 2 images, and one is wanted: a:1, b:1",
		`{"error":"unexpected EOF"}`:                                                   "error: unexpected EOF",
		``:                                                                             "error: the engine found no image in it: want what docker save writes",
		`x`:                                                                            "error: read the engine's answer: invalid character 'x' looking for beginning of value",
	} {
		got, err := loadedImage(strings.NewReader(answer))
		if err != nil {
			got = "error: " + err.Error()
		}
		assert.Equal(t, want, got, answer)
	}
}

func TestCellsOfContainers(t *testing.T) {
	s, err := stack.Load(t.Context(), "../stack")
	require.NoError(t, err)
	m := &matrixRun{checkFlags: &checkFlags{}, plan: &matrix.Plan{Axes: []matrix.Axis{{Name: matrix.Grafana, Values: []matrix.Value{
		{Name: "12.4.5", Tag: "12.4.5", Environment: map[string]string{"A": "b"}}, {Name: "own"}}}}}}
	m.base.Containers.Images.Override = map[string]string{"grafana": "of/the:environment", "fakes": "f"}
	m.base.Containers.Logs = "logs"
	require.NoError(t, m.resolve(s))
	cells, err := m.plan.Cells()
	require.NoError(t, err)
	opts := m.containers(cells[0], s)
	assert.Equal(t, map[string]string{"grafana": "grafana/grafana:12.4.5", "fakes": "f"}, opts.Images.Override)
	assert.Equal(t, map[string]string{"A": "b"}, opts.Environment["grafana"])
	assert.Equal(t, "logs/grafana-12.4.5", opts.Logs)
	assert.Equal(t, "of/the:environment", m.containers(cells[1], s).Images.Override["grafana"], "a value without an image leaves it as it would be")
	assert.Equal(t, "of/the:environment", m.base.Containers.Images.Override["grafana"], "cells share nothing")

	m.env.images = []string{"fakes=x,grafana=y"}
	require.ErrorContains(t, m.resolve(s), "--image grafana=y and the versions of grafana both say which image runs")
}

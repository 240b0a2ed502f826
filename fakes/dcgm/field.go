package dcgm

import (
	"embed"
	"encoding/csv"
	"fmt"
	"strconv"
)

// field is one of the numbered values that DCGM keeps of an entity.
type field struct {
	name   string
	id     int
	format valueFormat
	entity entity
}

// valueFormat is how a value of a field is written.
type valueFormat string

const (
	formatInt    valueFormat = "int"
	formatDouble valueFormat = "double"
	formatString valueFormat = "string"
	formatNone   valueFormat = "none" // a structure, or nothing that a fake machine has
)

// entity is what a field is a value of.
type entity string

const (
	entityGPU        entity = "gpu"
	entityGPULink    entity = "gpulink"
	entitySwitch     entity = "switch"
	entitySwitchLink entity = "switchlink"
	entityCPU        entity = "cpu"
	entityCore       entity = "core" // and of the CPU as a whole
)

//go:embed fields.csv counters.csv xids.csv
var data embed.FS

// table reads a data file of this package: its rows behind the one that names the columns.
func table(name string, columns int) ([][]string, error) {
	file, err := data.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // an embedded file
	r := csv.NewReader(file)
	r.Comment = '#'
	r.FieldsPerRecord = columns
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows[1:], nil
}

// fields are all of DCGM's fields by every name that a counters file may use.
func fields() (map[string]field, error) {
	rows, err := table("fields.csv", 4)
	if err != nil {
		return nil, err
	}
	all := make(map[string]field, len(rows))
	for _, row := range rows {
		id, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, fmt.Errorf("fields.csv: %s: %w", row[0], err)
		}
		all[row[0]] = field{name: row[0], id: id, format: valueFormat(row[2]), entity: entity(row[3])}
	}
	return all, nil
}

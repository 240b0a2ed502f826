package node

import (
	"math"
	"slices"
	"strconv"
)

const celsius = "node_hwmon_temp_celsius"

// sensor is a temperature sensor of a chip. Temperatures are in millidegrees Celsius, as the kernel has them.
type sensor struct {
	name, label string
	milli       func(*snapshot) float64
	low         float64
	high        float64
	critical    float64 // 0 where the sensor has no such limit
}

// chip is a chip with temperature sensors.
type chip struct {
	name, driver string
	sensors      []sensor
}

// The kernel reports disks' temperatures in millidegrees from whole kelvins.
const kelvin = 273_150

func disk(base, perLoad float64) func(*snapshot) float64 {
	return func(s *snapshot) float64 { return 1000*math.Floor(base+perLoad*s.load) - kelvin }
}

// core is the temperature of a core, or of the package, which is as warm as its warmest core.
func core(weight float64) func(*snapshot) float64 {
	return func(s *snapshot) float64 { return 1000 * math.Floor(35+32*weight*s.load) }
}

func diskChip() chip {
	const noHigh = 65_535_000 - kelvin // the largest limit the disk can be told, which is none
	return chip{"nvme_nvme0", "nvme", []sensor{
		{name: "temp1", label: "Composite", milli: disk(311, 9), low: -kelvin, high: 358_000 - kelvin, critical: 359_000 - kelvin},
		{name: "temp2", label: "Sensor 1", milli: disk(312, 10), low: -kelvin, high: noHigh},
	}}
}

func cpuChip(cpus int) chip {
	c := chip{name: "platform_coretemp_0", driver: "coretemp"}
	add := func(label string, milli func(*snapshot) float64) {
		name := "temp" + strconv.Itoa(len(c.sensors)+1)
		c.sensors = append(c.sensors, sensor{name: name, label: label, milli: milli, high: 84_000, critical: 100_000})
	}
	add("Package id 0", core(weight(0, cpus)))
	for i := range cpus {
		add("Core "+strconv.Itoa(i), core(weight(i, cpus)))
	}
	return c
}

// perSensor is one series for each of the chips' sensors.
func perSensor(chips []chip, value func(sensor) func(*snapshot) float64) []sample {
	var samples []sample
	for _, c := range chips {
		for _, sensor := range c.sensors {
			samples = append(samples, sample{`chip="` + c.name + `",sensor="` + sensor.name + `"`, value(sensor)})
		}
	}
	return samples
}

// limit is one of a sensor's limits in degrees.
func limit(milli func(sensor) float64) func(sensor) func(*snapshot) float64 {
	return func(s sensor) func(*snapshot) float64 { return constant(degrees(milli(s))) }
}

// degrees multiplies by a thousandth rather than dividing by a thousand, as node_exporter does; the last digits differ.
func degrees(milli float64) float64 { return milli * 0.001 }

// temperatureFamilies are what the hwmon collector prints.
func temperatureFamilies(cpus int) []family {
	processor, storage := cpuChip(cpus), diskChip()
	chips := []chip{processor, storage}
	var names, sensorLabels []sample
	for _, c := range chips {
		names = append(names, sample{`chip="` + c.name + `",chip_name="` + c.driver + `"`, one})
		for _, s := range c.sensors {
			sensorLabels = append(sensorLabels, sample{`chip="` + c.name + `",label="` + s.label + `",sensor="` + s.name + `"`, one})
		}
	}
	never := func(sensor) func(*snapshot) float64 { return none }
	limited := []chip{processor, {storage.name, storage.driver,
		slices.DeleteFunc(slices.Clone(storage.sensors), func(s sensor) bool { return s.critical == 0 })}}
	return []family{
		{"node_hwmon_chip_names", gauge, "Annotation metric for human-readable chip names", names},
		{"node_hwmon_sensor_label", gauge, "Label for given chip and sensor", sensorLabels},
		{"node_hwmon_temp_alarm", gauge, "Hardware sensor alarm status (temp)", perSensor(limited[1:], never)},
		{celsius, gauge, "Hardware monitor for temperature (input)", perSensor(chips, func(sensor sensor) func(*snapshot) float64 {
			return func(s *snapshot) float64 { return degrees(sensor.milli(s)) }
		})},
		{"node_hwmon_temp_crit_alarm_celsius", gauge, "Hardware monitor for temperature (crit_alarm)", perSensor(chips[:1], never)},
		{"node_hwmon_temp_crit_celsius", gauge, "Hardware monitor for temperature (crit)",
			perSensor(limited, limit(func(s sensor) float64 { return s.critical }))},
		{"node_hwmon_temp_max_celsius", gauge, "Hardware monitor for temperature (max)",
			perSensor(chips, limit(func(s sensor) float64 { return s.high }))},
		{"node_hwmon_temp_min_celsius", gauge, "Hardware monitor for temperature (min)",
			perSensor(chips[1:], limit(func(s sensor) float64 { return s.low }))},
	}
}

// coolingFamilies are what the thermal_zone collector prints. No CPU is ever hot enough to be slowed down.
func coolingFamilies(cpus int) []family {
	perProcessor := func(v float64) []sample {
		var samples []sample
		for _, name := range numbers(cpus) {
			samples = append(samples, sample{`name="` + name + `",type="Processor"`, constant(v)})
		}
		return samples
	}
	warmest := core(weight(0, cpus))
	return []family{
		{"node_cooling_device_cur_state", gauge, "Current throttle state of the cooling device", perProcessor(0)},
		{"node_cooling_device_max_state", gauge, "Maximum throttle state of the cooling device", perProcessor(10)},
		{"node_thermal_zone_temp", gauge, "Zone temperature in Celsius",
			[]sample{{`type="x86_pkg_temp",zone="0"`, func(s *snapshot) float64 { return warmest(s) / 1000 }}}},
	}
}

// edacFamilies are what the edac collector prints: memory without errors.
func edacFamilies() []family {
	controller := []sample{{`controller="0"`, none}}
	row := []sample{{`controller="0",csrow="unknown"`, none}}
	return []family{
		{"node_edac_correctable_errors_total", counter, "Total correctable memory errors.", controller},
		{"node_edac_csrow_correctable_errors_total", counter, "Total correctable memory errors for this csrow.", row},
		{"node_edac_csrow_uncorrectable_errors_total", counter, "Total uncorrectable memory errors for this csrow.", row},
		{"node_edac_uncorrectable_errors_total", counter, "Total uncorrectable memory errors.", controller},
	}
}

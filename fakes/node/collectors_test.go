package node

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each switch, turned, adds or takes away the families that it is said to have.
func TestSwitchesHaveTheFamiliesTheySay(t *testing.T) {
	for _, version := range []string{"1.0.0", "1.9.1"} {
		switches, err := Switches(version)
		require.NoError(t, err)
		turned := 0
		for _, s := range switches {
			if len(s.Families) == 0 {
				continue
			}
			flag := s.Flag
			if s.Enabled {
				flag = s.Off()
			}
			flags := []string{flag}
			if slices.Contains([]string{"--collector.systemd.enable-restarts-metrics", "--collector.systemd.enable-start-time-metrics",
				"--collector.systemd.enable-task-metrics"}, s.Flag) {
				flags = append(flags, "--collector.systemd")
			}
			shown := scrape(t, built(t, version, flags...), start).Families
			for _, family := range s.Families {
				_, there := shown[family]
				assert.Equal(t, !s.Enabled, there, "%s %s: %s", version, flag, family)
			}
			turned++
		}
		assert.Greater(t, turned, 20)
	}
	_, err := Switches("latest")
	require.Error(t, err)
}

package node

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// FuzzBuild wants an error or a scrape that Prometheus reads, whatever the release and the command line.
func FuzzBuild(f *testing.F) {
	for _, seed := range [][2]string{
		{"1.12.1", "--no-collector.cpu\x00--collector.netdev.device-exclude=^lo$"},
		{"1.0.1", "/bin/node_exporter\x00--collector.filesystem.ignored-mount-points=^/(sys|proc)($|/)"},
		{"1.6.1", "sh\x00-c\x00exec node_exporter --path.rootfs='/a b' \\\n 2>&1 | tee \"log"},
		{"1.9.1", "--collector.disable-defaults\x00--web.disable-exporter-metrics"},
		{"v1.8.2-distroless", "--\x00-\x00--=\x00--no-"},
		{"1.99", "sh\x00-c"},
		{"", "--collector.systemd\x00--collector.systemd.unit-include=("},
	} {
		f.Add(seed[0], seed[1])
	}
	w := world(f)
	f.Fuzz(func(t *testing.T, version, args string) {
		e, err := Build(w, "box:9100", fakes.Setup{Version: version, Args: strings.Split(args, "\x00")})
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		s := scrapetest.Parse(t, e.AppendScrape(nil, moment), e.ContentType())
		require.Contains(t, s.Families, "node_exporter_build_info", "whatever is switched off, it says which release it is")
	})
}

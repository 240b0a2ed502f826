package embedded

import (
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/config"
)

// What is taken of one scrape of a live target whose job sets no limit. Prometheus takes
// whatever comes, and a compressed answer of ten megabytes may be ten gigabytes: the gate
// would be killed for it, and would have said nothing.
const (
	mostBody    = 64 << 20 // bytes, unpacked
	mostSamples = 400_000
)

// bounded is a job that is scraped for real, with a limit to what it takes.
func bounded(job config.ScrapeConfig) config.ScrapeConfig {
	if job.BodySizeLimit == 0 {
		job.BodySizeLimit = mostBody
	}
	if job.SampleLimit == 0 {
		job.SampleLimit = mostSamples
	}
	return job
}

// ofOurs says of a limit that was exceeded that it is none of the job's.
func (t *target) ofOurs(err error) error {
	if t.line == nil || t.line.name != answeredLive {
		return err
	}
	switch {
	case t.job.BodySizeLimit == 0 && strings.Contains(err.Error(), "body size limit exceeded"):
		return fmt.Errorf("%w (the job sets no body_size_limit, and panelgate takes %d MiB of a scrape then)", err, mostBody>>20)
	case t.job.SampleLimit == 0 && strings.Contains(err.Error(), "sample limit exceeded"):
		return fmt.Errorf("%w (the job sets no sample_limit, and panelgate takes %d samples of a scrape then)", err, mostSamples)
	}
	return err
}

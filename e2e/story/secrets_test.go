package story

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHide(t *testing.T) {
	for text, want := range map[string]string{
		`parse "http://me:s3cret@host:x/%zz": invalid port`:                        `parse "http://me:***@host:x/%zz": invalid port`,
		`postgres://me:p%40ss@db/grafana and amqp://:x@mq`:                         `postgres://me:***@db/grafana and amqp://:***@mq`,
		`Get "http://h:1/metrics?module=x&token=s3cret": refused`:                  `Get "http://h:1/metrics?module=x&token=***": refused`,
		`http://h/m?X-Amz-Signature=abc&api_key=def#top`:                           `http://h/m?X-Amz-Signature=***&api_key=***#top`,
		"cannot unmarshal !!str `s3cret-...` into config.Authorization":            "cannot unmarshal !!str into config.Authorization",
		"cannot unmarshal !!str `fast` into uint64":                                "cannot unmarshal !!str `fast` into uint64",
		`http://host:9090/a@b and user@example.org: http://127.0.0.1:3000/d/x?a=b`: `http://host:9090/a@b and user@example.org: http://127.0.0.1:3000/d/x?a=b`,
		`sum by (token) (rate(x{path="/a?b=c"}[5m]))`:                              `sum by (token) (rate(x{path="/a?b=c"}[5m]))`,
	} {
		assert.Equal(t, want, Hide(text))
	}
}

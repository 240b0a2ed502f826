package query

import (
	"fmt"
	"strings"
)

// Characters besides letters and digits that the URL encodings of browsers leave
// alone: of a whole URI, of one component of it, and of Grafana's query strings.
const (
	uriSafe        = "-_.~;/?:@&=+$,#"
	componentSafe  = "-_.~"
	queryParamSafe = "-_.~@:$,;"
)

func encodeURIComponentStrict(s string) string { return percentEncode(s, componentSafe) }

func encodeURIStrict(s string) string { return percentEncode(s, uriSafe) }

func percentEncode(s, safe string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(safe, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func queryParam(key, value string) string {
	return percentEncode(key, queryParamSafe) + "=" + percentEncode(value, queryParamSafe)
}

// queryParams is a selection as a part of a URL: var-m=a&var-m=b. All keeps its
// own name rather than listing the options.
func queryParams(v Value, o operand) string {
	key := "var-" + v.Name
	if v.All {
		return queryParam(key, allOption)
	}
	if len(o.list) == 0 {
		return queryParam(key, "")
	}
	params := make([]string, len(o.list))
	for i, s := range o.list {
		params[i] = queryParam(key, s)
	}
	return strings.Join(params, "&")
}

// customQueryParams is a selection under a key of the dashboard's choosing, each
// value behind a prefix; args is "key:prefix".
func customQueryParams(v Value, o operand, args string) string {
	key, rest, _ := strings.Cut(args, ":")
	prefix, _, _ := strings.Cut(rest, ":")
	if key == "" {
		key = v.Name
	}
	start := encodeURIComponentStrict(key) + "=" + encodeURIComponentStrict(prefix)
	params := make([]string, len(o.list))
	for i, s := range o.list {
		params[i] = start + encodeURIComponentStrict(s)
	}
	return strings.Join(params, "&")
}

package drawing

import (
	"regexp"
	"strings"

	"github.com/panelgate/panelgate/stack/source"
)

// Color is how a colour is chosen.
type Color struct {
	// Mode is fixed, thresholds, continuous or shades; the palette by default.
	Mode  string   `json:"mode,omitempty"`
	Fixed string   `json:"fixed,omitempty"`
	Scale []string `json:"scale,omitempty"` // of continuous, from the least value to the greatest
}

func colorOf(n *source.Node) Color {
	fixed := n.Get("fixedColor").Str()
	switch mode := n.Get("mode").Str(); {
	case mode == "fixed" || mode == "shades":
		return Color{Mode: "fixed", Fixed: hex(fixed)}
	case mode == "thresholds":
		return Color{Mode: "thresholds"}
	case strings.HasPrefix(mode, "continuous-"):
		return Color{Mode: "continuous", Scale: scale(strings.TrimPrefix(mode, "continuous-"))}
	default:
		return Color{}
	}
}

// scale is the colours that a continuous mode runs through.
func scale(name string) []string {
	var out []string
	for _, c := range strings.Split(name, "-") {
		switch c {
		case "GrYlRd":
			out = append(out, hex("green"), hex("yellow"), hex("red"))
		case "RdYlGr":
			out = append(out, hex("red"), hex("yellow"), hex("green"))
		case "BlYlRd":
			out = append(out, hex("dark-blue"), hex("super-light-yellow"), hex("dark-red"))
		case "YlRd":
			out = append(out, hex("super-light-yellow"), hex("dark-red"))
		case "BlPu":
			out = append(out, hex("blue"), hex("purple"))
		case "YlBl":
			out = append(out, hex("super-light-yellow"), hex("dark-blue"))
		case "blues", "reds", "greens", "purples":
			name := strings.TrimSuffix(c, "s")
			out = append(out, hex("super-light-"+name), hex("dark-"+name))
		}
	}
	if len(out) == 0 {
		return scale("GrYlRd")
	}
	return out
}

// cssColor is what a file may write besides a name.
var cssColor = regexp.MustCompile(`^(#[0-9a-fA-F]{3,8}|rgba?\([0-9., %]{1,40}\))$`)

// hex is a colour of Grafana's as CSS has it; "" for one that is not known.
func hex(color string) string {
	if cssColor.MatchString(color) {
		return color
	}
	hues := map[string][5]string{ // from super-light to dark
		"red":    {"#FFA6B0", "#FF7383", "#F2495C", "#E02F44", "#C4162A"},
		"orange": {"#FFCB7D", "#FFB357", "#FF9830", "#FF780A", "#FA6400"},
		"yellow": {"#FFF899", "#FFEE52", "#FADE2A", "#F2CC0C", "#E0B400"},
		"green":  {"#C8F2C2", "#96D98D", "#73BF69", "#56A64B", "#37872D"},
		"blue":   {"#C0D8FF", "#8AB8FF", "#5794F2", "#3274D9", "#1F60C4"},
		"purple": {"#DEB6F2", "#CA95E5", "#B877D9", "#A352CC", "#8F3BB8"},
	}
	for i, shade := range []string{"super-light-", "light-", "", "semi-dark-", "dark-"} {
		if hue, ok := hues[strings.TrimPrefix(color, shade)]; ok && strings.HasPrefix(color, shade) {
			return hue[i]
		}
	}
	switch color {
	case "white":
		return "#ffffff"
	case "gray", "grey":
		return "#808080"
	case "black":
		return "#000000"
	case "transparent", "text":
		return color
	}
	return ""
}

package dcgm

import (
	"fmt"
	"strconv"
)

// xidTexts are the names of the XID errors as dcgm-exporter writes them, NVIDIA's own, by code.
func xidTexts() (map[int]string, error) {
	rows, err := table("xids.csv", 2)
	if err != nil {
		return nil, err
	}
	texts := make(map[int]string, len(rows))
	for _, row := range rows {
		code, err := strconv.Atoi(row[0])
		if err != nil {
			return nil, fmt.Errorf("xids.csv: %w", err)
		}
		texts[code] = row[1]
	}
	return texts, nil
}

// xidText is the name of an error, of the newest ones too, which the list does not have.
func xidText(texts map[int]string, code int) string {
	if text, ok := texts[code]; ok {
		return text
	}
	return "Unknown Error"
}

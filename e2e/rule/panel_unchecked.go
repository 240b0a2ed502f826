package rule

// panelUnchecked lists what this gate cannot prove, so that nothing counts as
// checked that was not.
func panelUnchecked() Rule {
	return Rule{
		ID:       "panel/unchecked",
		Severity: Info,
		Summary:  "a panel asks something that is not checked, such as a datasource of another type",
		Static: func(in *Static) []Finding {
			return eachTarget(in.Boards, func(q *Question) *Finding {
				if !q.Unchecked {
					return nil
				}
				f := onQuestion(q)
				f.Message = "not checked: " + q.Skip
				return &f
			})
		},
	}
}

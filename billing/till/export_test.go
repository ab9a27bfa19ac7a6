package till

// KillAt lets a test end the process, or what stands for it, at a step.
func (t *Till) KillAt(step func(name string)) { t.step = step }

package subscription

// StepAt has a function called at each step of making an invoice, which may end the process there.
func (b *Biller) StepAt(step func(name string)) { b.step = step }

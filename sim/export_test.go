package sim

// AtNextRest lets f have the fingerprint of the world when nothing can move but time.
func (w *World) AtNextRest(f func(fingerprint uint64)) {
	w.Inline(func() {
		w.kernel.SetOnRest(func() {
			w.kernel.SetOnRest(nil)
			f(w.fingerprint())
		})
	})
}

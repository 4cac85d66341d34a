// Package allows holds escapes that are meant.
package allows

import "time"

//heddle:allow the banner is printed before anything runs
var begun = time.Now()

func allowed(m map[string]int) (sum float64) {
	_ = time.Now() //heddle:allow it is printed and never looked at
	//heddle:allow the values are whole numbers
	for _, v := range m {
		sum += float64(v)
	}
	return sum
}

func wrong() {
	/* want `gives no reason: say after it why` */ //heddle:allow
	_ = time.Now()

	/* want `allows nothing: no escape is reported on the line that it speaks for` */ //heddle:allow there is nothing here
	_ = time.Second

	_ = time.Second /* want `allows nothing` */ //heddle:allow this line only
	_ = time.Now()  // want `time.Now reads the wall clock`

	//heddle:allowance is another word
	_ = time.Now() // want `time.Now reads the wall clock`
}

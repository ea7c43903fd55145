package masking

import (
	"sync"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

var jobPools = sync.OnceValue(func() *phrasePools { return newPhrasePools(dictionary.Jobs) })

// jobVariants is {fake: job}: a job title (see choiceTransform).
var jobVariants = []fakeVariant{
	choiceVariant("job", func() chooser { return listed{jobPools()} },
		[]Sample{{Column: Column{Kind: Text}, Values: []string{"Head of Sales", "NURSE", "главный бухгалтер"}}}, "job"),
}

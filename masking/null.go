package masking

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// nullFactory makes {"null": true}: every value is suppressed.
type nullFactory struct{}

func (nullFactory) Describe() Description {
	return Description{Name: "null", Version: 1, Summary: "Suppresses every value to NULL.", Value: "true", Valueless: true,
		Samples: []Sample{{Spec: Spec{Variant: true}, Column: Column{Kind: Text}, Values: []string{"Maria", "", "x"}}}}
}

func (nullFactory) Bind(req Request) (Binding, error) {
	if req.Spec.Variant != true {
		return Binding{}, &BindError{Reason: "null has one value, true", Help: `write {"null": true}`}
	}
	if req.Column.NotNull {
		return Binding{}, &BindError{Reason: "the column is NOT NULL", Help: "use a constant"}
	}
	return Binding{
		Transform:  nullTransform{},
		Unread:     true,
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true},
	}, nil
}

type nullTransform struct{}

func (nullTransform) Apply(_ memory.Allocator, in arrow.Array) (arrow.Array, error) {
	return array.NewNull(in.Len()), nil
}

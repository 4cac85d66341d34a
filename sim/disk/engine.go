package disk

import (
	"reflect"
	"unsafe"

	"github.com/ncruces/go-sqlite3/vfs"
)

// engine is an instance of SQLite: its memory, outside Go's, is given back by Conn.Close only. The Conn of a process that has crashed must
// not be used, since a call of its engine has been left in the middle; and who has crashed a thousand times would keep the memory
// of a thousand. So it is given back here, by way of a field that the library does not export. If that has another name one day, the memory is
// lost, and a test says so.
type engine struct {
	instance reflect.Value // a *sqlite3_wrap.Wrapper
	freed    bool
}

// engine is that which opens the file, nil if that cannot be known. It must be called outside any task.
func (d *Disk) engine(name *vfs.Filename) *engine {
	field := reflect.ValueOf(name).Elem().FieldByName("wrp")
	if field.Kind() != reflect.Pointer {
		return nil
	}
	instance := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
	for _, e := range d.engines {
		if e.instance.Pointer() == instance.Pointer() {
			return e
		}
	}
	e := &engine{instance: reflect.ValueOf(instance.Interface())}
	d.engines = append(d.engines, e)
	return e
}

// free gives back the memory if nobody has. Whoever still calls the engine panics then: the deferred functions of a process that is dead.
//
//go:norace
func (e *engine) free() {
	if e == nil || e.freed {
		return
	}
	e.freed = true // before it closes its files, which are no more
	if memory := e.instance.Elem().FieldByName("Memory"); memory.Kind() == reflect.Pointer && !memory.IsNil() {
		e.instance.MethodByName("Close").Call(nil)
	}
}

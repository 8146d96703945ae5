package config

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// Report tells the settings for a bug report: as plain values, secrets as "[secret]", URLs without user and query.
func Report(c Serve) map[string]any {
	out, _ := report(reflect.ValueOf(c)).(map[string]any) // of a struct it is one
	return out
}

// report turns a value into what JSON can tell; nil for what is no setting, like functions.
func report(v reflect.Value) any {
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case time.Duration:
			return x.String()
		case Secret:
			return x.String()
		case fmt.Stringer:
			return x.String()
		}
	}
	switch v.Kind() {
	case reflect.String:
		return harmless(v.String())
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int64:
		return v.Int()
	case reflect.Slice:
		list := []any{}
		for i := range v.Len() {
			list = append(list, report(v.Index(i)))
		}
		return list
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if x := report(v.Field(i)); x != nil {
				fields[f.Name] = x
			}
		}
		return fields
	}
	return nil
}

// harmless is a text without what a URL may hide.
func harmless(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		return hidden
	}
	if u.User != nil {
		u.User = url.User(hidden)
	}
	if u.RawQuery != "" {
		u.RawQuery = hidden
	}
	return u.String()
}

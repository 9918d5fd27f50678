package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError says what is wrong with a flag as the rest of the program would.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, unknown)
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usagef("--%s: want %s, got nothing", missing.GetFlag().Name, wanted(missing.GetFlag(), nil))
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usagef("--%s %q: want %s", invalid.GetFlag().Name, invalid.GetValue(), wanted(invalid.GetFlag(), invalid))
	}
	if invalid, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return usagef("%q is not a flag: want one such as --topic", invalid.GetSpecifiedFlag())
	}
	return usageError{err}
}

func unknownFlag(cmd *cobra.Command, unknown *pflag.NotExistError) error {
	flag := "--" + unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		flag = "-" + short
		if unicode.IsDigit(rune(short[0])) && strings.Contains(cmd.Use, "PARTITION") {
			return notAPartition(flag)
		}
	}
	list := fmt.Sprintf("`weatheractors help %s` lists the flags", cmd.Name())
	if !cmd.HasParent() {
		list = "`weatheractors help` lists commands and flags"
	}
	var similar []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		given := unknown.GetSpecifiedName()
		if !f.Hidden && len(given) > 2 && (strings.HasPrefix(f.Name, given) || strings.HasPrefix(given, f.Name)) {
			similar = append(similar, "--"+f.Name)
		}
	})
	if len(similar) > 0 {
		list = fmt.Sprintf("did you mean %s? %s", strings.Join(similar, " or "), list)
	}
	return advised{usagef("unknown flag %s", flag), list}
}

// wanted says what values a flag takes; err, which may be nil, says what is wrong
// with the one that it got.
func wanted(f *pflag.Flag, err error) string {
	largest := map[string]string{
		"int16": "32767", "int32": "2147483647", "int": "9223372036854775807", "int64": "9223372036854775807", "uint64": "18446744073709551615",
	}
	switch kind := f.Value.Type(); {
	case largest[kind] != "" && errors.Is(err, strconv.ErrRange):
		return "a whole number up to " + largest[kind]
	case kind == "uint64":
		return "a whole number, 0 or more"
	case largest[kind] != "":
		return "a whole number"
	case kind == "float64":
		return "a number"
	case kind == "bool":
		return "true or false"
	case kind == "duration":
		return "a duration such as 500ms, 10s or 2m"
	case kind == "stringSlice":
		return "values with commas between"
	}
	return "a value"
}

// exclusive finds flags that were given together and exclude each other. Left to
// cobra, that would be told in its own way.
func exclusive(cmd *cobra.Command) (err error) {
	const groups = "cobra_annotation_mutually_exclusive"
	cmd.Flags().Visit(func(f *pflag.Flag) {
		for _, group := range f.Annotations[groups] {
			for other := range strings.FieldsSeq(group) {
				if other != f.Name && cmd.Flags().Changed(other) && err == nil {
					err = usagef("--%s and --%s: want only one of them", f.Name, other)
				}
			}
		}
	})
	return err
}

// variable is the environment variable of a global flag.
func variable(flag string) string {
	return "WEATHERACTORS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that were not given, and whose variable is set.
// It returns their names.
func fromEnvironment(flags *pflag.FlagSet) (set []string, err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		value, found := os.LookupEnv(variable(f.Name))
		if !found || f.Changed || err != nil {
			return
		}
		if e := f.Value.Set(value); e != nil {
			err = usagef("environment variable %s is %q: want %s", variable(f.Name), value, wanted(f, e))
		}
		set = append(set, f.Name)
	})
	return set, err
}

// fromWhere is the hint about a mistake in a flag that nobody gave: it came from
// the environment.
func (a *app) fromWhere(err error) string {
	for word := range strings.FieldsSeq(err.Error()) {
		flag, ok := strings.CutPrefix(strings.TrimRight(word, ":,"), "--")
		if ok && slices.Contains(a.variables, flag) {
			return fmt.Sprintf("the environment variable %s sets --%s", variable(flag), flag)
		}
	}
	return ""
}

// checkTLS finds flags that are missing, or are of no use without another.
func (a *app) checkTLS() error {
	for _, flag := range []struct{ name, value string }{
		{"tls-ca", a.tls.CAFile}, {"tls-cert", a.tls.CertFile}, {"tls-key", a.tls.KeyFile}, {"tls-server-name", a.tls.ServerName},
	} {
		if flag.value != "" && !a.tls.Enable {
			return usagef("--%s %q: want --tls, too", flag.name, flag.value)
		}
	}
	switch {
	case a.tls.KeyFile == "" && a.tls.CertFile != "":
		return usagef("--tls-cert %q: want its --tls-key, too", a.tls.CertFile)
	case a.tls.CertFile == "" && a.tls.KeyFile != "":
		return usagef("--tls-key %q: want its --tls-cert, too", a.tls.KeyFile)
	}
	return nil
}

// checkSASL does the same.
func (a *app) checkSASL() error {
	mechanisms := []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}
	switch {
	case a.sasl.Mechanism == "" && a.sasl.User != "":
		return usagef("--sasl-user %q: want a --sasl-mechanism, too", a.sasl.User)
	case a.sasl.Mechanism == "" && a.saslFile != "":
		return usagef("--sasl-password-file %q: want a --sasl-mechanism, too", a.saslFile)
	case a.sasl.Mechanism == "":
		return nil
	case !slices.Contains(mechanisms, a.sasl.Mechanism):
		return usagef("--sasl-mechanism %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", a.sasl.Mechanism)
	case a.sasl.User == "":
		return usagef("--sasl-mechanism %s: want a --sasl-user, too", a.sasl.Mechanism)
	case a.sasl.Password == "":
		return usagef("--sasl-mechanism %s: want a password, in WEATHERACTORS_SASL_PASSWORD or a --sasl-password-file", a.sasl.Mechanism)
	}
	return nil
}

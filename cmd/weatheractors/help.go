package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// output is standard output for the command line library, which prints help, the
// version and completions, and drops or misreports what goes wrong with that.
type output struct{ *app }

func (o output) Write(p []byte) (int, error) {
	o.printf("%s", p)
	return len(p), nil
}

// noArguments refuses arguments for a command that takes none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return advised{usagef("%s %q: want no argument", cmd.Name(), args[0]), fmt.Sprintf("`weatheractors help %s` shows what it takes", cmd.Name())}
}

// unknownCommand refuses what is no command's name.
func unknownCommand(root *cobra.Command, name string) error {
	h := "`weatheractors help` lists the commands"
	if similar := root.SuggestionsFor(name); len(similar) > 0 {
		h = fmt.Sprintf("did you mean %s? %s", strings.Join(similar, " or "), h)
	}
	return advised{usagef("unknown command %q", name), h}
}

// shells are those for which there are completions, with what loads them.
var shells = map[string]func(root *cobra.Command, w io.Writer) error{
	"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"zsh":        (*cobra.Command).GenZshCompletion,
	"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
}

func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion {bash | zsh | fish | powershell}",
		Short: "Print a script that makes a shell complete commands and flags",
		Long: `completion prints a script for a shell. Once the shell has read it, the Tab key
completes commands, flags and their values.`,
		Example: `  source <(weatheractors completion bash)         # for this shell; needs bash-completion
  source <(weatheractors completion zsh)
  weatheractors completion fish | source
  weatheractors completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usagef("completion: want the name of one shell: bash, zsh, fish or powershell")
			case shells[args[0]] == nil:
				return usagef("completion %q: want bash, zsh, fish or powershell", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return shells[args[0]](cmd.Root(), cmd.OutOrStdout())
		},
	}
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Print what a command does, with examples and flags",
		Long:  "help prints what a command does, with examples and flags; without one, what commands\nthere are.",
		Example: `  weatheractors help
  weatheractors help consume`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			for _, c := range cmd.Root().Commands() {
				if len(args) == 0 && !c.Hidden {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usagef("help: want the name of one command, got %d", len(args))
			case len(args) == 1 && !known(cmd.Root(), args[0]):
				return unknownCommand(cmd.Root(), args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			of, _, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			of.InitDefaultHelpFlag()
			of.InitDefaultVersionFlag()
			return of.Help()
		},
	}
}

func known(root *cobra.Command, name string) bool {
	for _, cmd := range root.Commands() {
		if cmd.Name() == name {
			return true
		}
	}
	return false
}

// usage prints how to call a command: what stands in its help text below what it
// does.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "Usage:\n  %s COMMAND [flags]\n\nCommands:\n", cmd.CommandPath())
		for _, c := range cmd.Commands() {
			if !c.Hidden {
				fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
			}
		}
	} else {
		fmt.Fprintf(&b, "Usage:\n  %s\n", cmd.UseLine())
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasParent() {
		fmt.Fprintf(&b, "\nFlags:\n%s\nGlobal flags, such as --brokers, --topic and --dir: see `weatheractors help`.\n", cmd.LocalFlags().FlagUsages())
	} else {
		fmt.Fprintf(&b, "\nGlobal flags:\n%s", cmd.LocalFlags().FlagUsages())
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}

package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/urfave/cli/v3"
)

func (a *app) configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "checks, shows, describes or makes the configuration",
		Commands: []*cli.Command{
			{
				Name:  "check",
				Usage: "reports everything that is wrong with the configuration",
				Description: "Reads the same layers and makes the same checks as serve does at its start,\n" +
					"secret files included, and reports all faults at once. Exit code 78 if there are any.",
				Action: func(_ context.Context, cmd *cli.Command) error {
					c, err := loadConfig(cmd.String("config"), a.env)
					if err != nil {
						return err
					}
					fmt.Fprintf(a.stdout, "%s: ok, %s, %s\n", cmp.Or(c.source.name, "environment"),
						count(len(c.Providers), "provider", "providers"), count(len(c.Targets), "target", "targets"))
					return nil
				},
			},
			{
				Name:  "show",
				Usage: "prints the effective configuration, with secrets masked",
				Description: "What is printed is a configuration file: defaults and the environment included.\n" +
					"Beside each value stands where it came from.",
				Action: func(_ context.Context, cmd *cli.Command) error {
					c, err := loadConfig(cmd.String("config"), a.env)
					if err != nil {
						return err
					}
					c.show(a.stdout)
					return nil
				},
			},
			{
				Name:  "schema",
				Usage: "prints a JSON Schema of the configuration file",
				Description: "JSON Schema 2020-12, for editors. Those with the YAML language server complete keys\n" +
					"and mark faults with it, if the file begins with the line\n\n" +
					"   # yaml-language-server: $schema=hookd.schema.json\n\n" +
					"It knows keys, forms and words; `hookd config check` also what the values mean.",
				Action: func(context.Context, *cli.Command) error {
					text, err := schema()
					if err != nil {
						return err
					}
					fmt.Fprintf(a.stdout, "%s\n", text)
					return nil
				},
			},
			a.importCommand(),
		},
	}
}

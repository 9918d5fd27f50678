package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/cmd/internal/verify"
	"github.com/weatheractors/weatheractors/messages"
)

func (a *app) verifyCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "verify {PARTITION... | --all}",
		Short: "Recount from the topic, and compare with the files byte for byte",
		Long: `verify reads each partition from its beginning up to the offset in its file, with
code that shares nothing with consume, and compares: byte for byte, or value for
value where another program wrote the file in another layout.

Exit status: 0 all equal; 1 something differs, or can't be proven: records were
deleted from the topic, a file beside the partition file makes no sense, or, with
--all, a partition of the topic has no file.`,
		Example: `  weatheractors verify 0 2
  weatheractors verify --all                      # the whole topic, and every file in --dir`,
		RunE: func(cmd *cobra.Command, args []string) error {
			partitions, err := parsePartitions(args, all)
			if err != nil {
				return err
			}
			if all {
				if partitions, err = checkpoint.Files(a.dir); err != nil {
					return needFiles(err)
				}
				if len(partitions) == 0 {
					return fmt.Errorf("verify %s: %w", a.dir, errNoFiles)
				}
			}
			return needFiles(unlessEnded(cmd.Context(), a.verify(cmd.Context(), partitions, all)))
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every partition of the topic, and every file in --dir")
	return cmd
}

func (a *app) verify(ctx context.Context, partitions []int32, all bool) error {
	if err := a.connect(ctx, a.cluster()); err != nil {
		return err
	}
	config, err := a.witness()
	if err != nil {
		return err
	}
	if all {
		there, err := kafka.Partitions(ctx, a.cluster())
		if err != nil {
			return err
		}
		partitions = append(partitions, there...)
		slices.Sort(partitions)
		partitions = slices.Compact(partitions)
	}
	wrong, uncounted := 0, 0
	for _, p := range partitions {
		work := status.NewWork(a.log, a.screen, "recounting", "partition", p)
		report, err := verify.Partition(ctx, config, a.dir, p, work.Progress)
		work.Done()
		switch {
		case err == nil:
			a.printf("%v\n", report)
		case all && errors.Is(err, fs.ErrNotExist):
			a.printf("partition %d: no file\n", p)
			uncounted++
			continue
		case all && errors.Is(err, messages.ErrPartitionMissing):
			a.printf("partition %d: can't be proven: %v\n", p, err) // the others may be
		default:
			return err
		}
		if err != nil || !report.OK() {
			wrong++
		}
	}
	return verdict(len(partitions), uncounted, wrong)
}

// verdict is an error unless all partitions have a file, and none is wrong.
func verdict(partitions, uncounted, wrong int) error {
	var differs, missing error
	if wrong > 0 {
		differs = fmt.Errorf("%w: %d of %d files are not proven to be right", errDiffers, wrong, partitions-uncounted)
	}
	if uncounted > 0 {
		missing = fmt.Errorf("%w: %d of %d partitions", errUncounted, uncounted, partitions)
	}
	if differs != nil && missing != nil {
		return fmt.Errorf("%w; %w", differs, missing)
	}
	return cmp.Or(differs, missing)
}

// witness is the configuration of an independent client.
func (a *app) witness() (verify.Config, error) {
	cluster := a.cluster()
	tls, err := cluster.TLSConfig()
	if err != nil {
		return verify.Config{}, err
	}
	return verify.Config{
		Brokers:   cluster.Brokers,
		Topic:     cluster.Topic,
		TLS:       tls,
		Mechanism: cluster.SASL.Mechanism,
		User:      cluster.SASL.User,
		Password:  cluster.SASL.Password,
		Wait:      a.wait,
	}, nil
}

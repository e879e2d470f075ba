import { Button, HStack, Table, Text } from "@chakra-ui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { ListTable } from "~/parts/ListTable";
import { Loading } from "~/parts/Loading";
import { Count } from "~/parts/numbers";
import { Section } from "~/parts/Section";
import { Trouble } from "~/parts/Trouble";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import { useNames } from "../review/useNames";
import { Causes } from "../sending/Causes";
import type { DeliveryHeader } from "../useHeader";

type Country = components["schemas"]["CountryCounts"];

/** What was counted by cause and country, when, and a way to count again. */
export function Counted({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const queries = useQueryClient();
  const params = { path: { delivery_id: header.delivery } };
  const key = ["counted", header.delivery];
  const read = useQuery({
    queryKey: key,
    queryFn: () => answerOf(api.GET("/api/v1/deliveries/{delivery_id}/summary", { params })),
    refetchInterval: 15_000,
  });
  const again = useMutation({
    mutationFn: () =>
      answerOf(api.POST("/api/v1/deliveries/{delivery_id}/summary", { params, body: {} })),
    onSuccess: (answer) => queries.setQueryData(key, answer),
  });
  const found = read.data;
  return (
    <>
      <Section
        title={say("report.causes")}
        aside={
          <HStack wrap="wrap" fontSize="sm" color="fg.muted">
            {found?.counted_at && (
              <Text>
                {say("report.counted")} <When at={found.counted_at} />
              </Text>
            )}
            <Button
              size="xs"
              variant="outline"
              loading={again.isPending}
              onClick={() => again.mutate()}
            >
              {say("report.count_again")}
            </Button>
          </HStack>
        }
      >
        {again.error && <Trouble error={again.error} what={say("report.cannot_count")} isWrite />}
        {read.error && (
          <Trouble
            error={read.error}
            what={say("report.cannot_count")}
            onRetry={() => read.refetch()}
          />
        )}
        {read.isPending && <Loading lines={3} />}
        {found?.counted_at && <Causes causes={found.causes} label={say("report.causes")} />}
        {found && !found.counted_at && <Text color="fg.muted">{say("report.never_counted")}</Text>}
        {found?.counted_at && (
          <Text>
            {say("report.opted_out")}: <Count value={found.opted_out} />
          </Text>
        )}
      </Section>
      {found && found.countries.length > 0 && <Countries rows={found.countries} />}
    </>
  );
}

const COLUMNS = ["messages", "parts", "delivered", "undelivered", "failed", "unknown"] as const;

function Countries({ rows }: { rows: Country[] }) {
  const say = useSay();
  const names = useNames();
  return (
    <Section title={say("report.countries")}>
      <ListTable
        label={say("report.countries")}
        columns={["country", ...COLUMNS]}
        head={(name) => say(`report.${name}`)}
        ends={COLUMNS}
      >
        {rows.map((row) => (
          <Table.Row key={row.country}>
            <Table.ColumnHeader scope="row" fontWeight="normal">
              {names.country(row.country)}
            </Table.ColumnHeader>
            {COLUMNS.map((column) => (
              <Table.Cell key={column} textAlign="end">
                <Count value={row[column]} />
              </Table.Cell>
            ))}
          </Table.Row>
        ))}
      </ListTable>
    </Section>
  );
}

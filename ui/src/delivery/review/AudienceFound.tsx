import { Box, Button, Stack, Table, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import { Count } from "~/parts/numbers";
import { ScrollBox } from "~/parts/ScrollBox";
import { Section } from "~/parts/Section";
import { Trouble } from "~/parts/Trouble";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import { Bar } from "./Bar";
import type { Found } from "./shapes";

const SOURCES = new Set(["rules", "sql", "table", "file", "http", "python_callable", "reference"]);

type Props = { found: Found; preparedAt: string | null };

/** How the audience was found: its source, and what each condition left of it. */
export function AudienceFound({ found, preparedAt }: Props) {
  const say = useSay();
  const source = SOURCES.has(found.source ?? "") ? found.source : found.base ? "base" : "task";
  return (
    <Section title={say("review.how_found")}>
      <Stack gap={1}>
        <Text overflowWrap="anywhere">
          {say(`review.source_${source}`)}
          {found.dimension && ` · ${say("review.dimension", { name: found.dimension })}`}
          {found.label && ` · ${found.label}`}
          {found.base && ` · ${found.base}`}
        </Text>
        <Text color="fg.muted">
          {say("review.found_count", { count: found.count })}
          {" · "}
          {say("review.built_by", { task: found.task_id })} <When at={found.built_at} />
        </Text>
        {found.bad_lines ? (
          <Text>{say("review.bad_lines", { count: found.bad_lines })}</Text>
        ) : null}
      </Stack>
      {found.steps.length > 0 && <Conditions found={found} />}
      {found.source === "rules" && <Sql found={found} at={preparedAt} />}
    </Section>
  );
}

function Conditions({ found }: { found: Found }) {
  const say = useSay();
  const everyone = found.everyone ?? found.steps[0]?.count ?? 0;
  return (
    <ScrollBox label={say("review.conditions")}>
      <Table.Root size="sm">
        <Table.Header>
          <Table.Row>
            <Table.ColumnHeader scope="col">{say("review.condition")}</Table.ColumnHeader>
            <Table.ColumnHeader scope="col" width="30%">
              {say("review.left")}
            </Table.ColumnHeader>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {found.everyone !== null && (
            <Condition words={say("review.everyone")} left={everyone} whole={everyone} />
          )}
          {found.steps.map((step) => (
            <Condition key={step.words} words={step.words} left={step.count} whole={everyone} />
          ))}
        </Table.Body>
      </Table.Root>
    </ScrollBox>
  );
}

function Condition({ words, left, whole }: { words: string; left: number; whole: number }) {
  return (
    <Table.Row>
      <Table.ColumnHeader scope="row" fontWeight="normal" overflowWrap="anywhere">
        {words}
      </Table.ColumnHeader>
      <Table.Cell fontVariantNumeric="tabular-nums">
        <Count value={left} />
        <Bar share={whole ? left / whole : 0} />
      </Table.Cell>
    </Table.Row>
  );
}

/** The statement of the rules, asked for on demand: the database is asked as well. */
function Sql({ found, at }: { found: Found; at: string | null }) {
  const say = useSay();
  const explain = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST("/api/v1/workflows/{dag_id}/audiences/{task_id}/explain", {
          params: { path: { dag_id: found.dag_id, task_id: found.task_id } },
          body: { conf: {}, sample: 0, at },
        }),
      ),
  });
  const sql = (explain.data as { sql?: string } | undefined)?.sql;
  return (
    <Stack gap={2} alignItems="start">
      {!sql && (
        <Button
          size="xs"
          variant="outline"
          loading={explain.isPending}
          onClick={() => explain.mutate()}
        >
          {say("review.show_sql")}
        </Button>
      )}
      {explain.error && <Trouble error={explain.error} what={say("review.cannot_explain")} />}
      {sql && (
        <>
          <Text color="fg.muted" fontSize="sm">
            {say("review.sql_note")}
          </Text>
          <ScrollBox label="SQL">
            <Box as="pre" fontSize="xs" bg="bg.subtle" borderRadius="md" p={3}>
              {sql}
            </Box>
          </ScrollBox>
        </>
      )}
    </Stack>
  );
}

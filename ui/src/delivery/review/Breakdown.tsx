import { Box, Heading, SimpleGrid, Table, Text } from "@chakra-ui/react";
import { Count } from "~/parts/numbers";
import { Section } from "~/parts/Section";
import { useSay } from "~/words/useSay";
import { Bar } from "./Bar";
import type { Review } from "./shapes";
import { useNames } from "./useNames";

/** Rows of one table; the others are summed up. */
const SHOWN = 8;

/** How the messages travel: encodings, parts, senders, languages. */
export function Breakdown({ review }: { review: Review }) {
  const say = useSay();
  const names = useNames();
  const parts = (count: string) => say("review.parts_of", { parts: Number(count) });
  const tables = [
    { title: say("review.encoding"), sums: review.encodings, name: names.encoding },
    { title: say("review.length"), sums: review.by_parts, name: parts },
    { title: say("review.sender"), sums: review.senders, name: names.sender },
    { title: say("review.language"), sums: review.languages, name: names.language },
  ].filter(({ sums }) => Object.keys(sums).length > 0);
  if (tables.length === 0) {
    return null;
  }
  return (
    <Section title={say("review.travels")}>
      <SimpleGrid columns={{ base: 1, sm: 2 }} gap={4}>
        {tables.map((table) => (
          <Sums key={table.title} {...table} whole={review.to_deliver || 1} />
        ))}
      </SimpleGrid>
    </Section>
  );
}

type SumsProps = {
  title: string;
  sums: Record<string, number>;
  name: (code: string) => string;
  whole: number;
};

function Sums({ title, sums, name, whole }: SumsProps) {
  const say = useSay();
  const rows = Object.entries(sums);
  const others = rows.slice(SHOWN);
  return (
    <Box minW={0}>
      <Heading as="h3" size="sm" mb={1}>
        {title}
      </Heading>
      <Table.Root size="sm" aria-label={title}>
        <Table.Body>
          {rows.slice(0, SHOWN).map(([code, count]) => (
            <Table.Row key={code}>
              <Table.ColumnHeader scope="row" fontWeight="normal" overflowWrap="anywhere">
                {name(code)}
              </Table.ColumnHeader>
              <Table.Cell width="45%" fontVariantNumeric="tabular-nums">
                <Count value={count} />
                <Bar share={count / whole} />
              </Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table.Root>
      {others.length > 0 && (
        <Text color="fg.muted" fontSize="sm">
          {say("review.others", {
            count: others.length,
            messages: others.reduce((sum, [, count]) => sum + count, 0),
          })}
        </Text>
      )}
    </Box>
  );
}

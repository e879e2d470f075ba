import { Box, Heading, Link, Stack, Table, Text } from "@chakra-ui/react";
import { useIntl } from "react-intl";
import { Link as RouterLink } from "react-router-dom";
import { Count, Money } from "~/parts/numbers";
import { ScrollBox } from "~/parts/ScrollBox";
import { Section } from "~/parts/Section";
import { When } from "~/parts/When";
import { deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import type { Changes } from "./shapes";
import { TextChanges } from "./TextChanges";

/** Settings that are other ones in every run, and say nothing to a reviewer. */
const TECHNICAL = new Set(["audience.uri", "audience.fingerprint", "audience.count"]);

/** What is not as it was in the former run. */
export function SinceLastRun({ changes }: { changes: Changes | null }) {
  const say = useSay();
  if (!changes) {
    return (
      <Section title={say("review.since")}>
        <Text color="fg.muted">{say("review.no_former_long")}</Text>
      </Section>
    );
  }
  const settings = changes.settings.filter(({ path }) => !TECHNICAL.has(path));
  return (
    <Section title={say("review.since")}>
      <Text color="fg.muted">
        {say("review.compared")}{" "}
        <Link asChild display="inline" textDecoration="underline">
          <RouterLink to={deliveryAddress(changes.before.delivery)}>
            {changes.before.label}
          </RouterLink>
        </Link>
        {" · "}
        <When at={changes.before.created_at} />
      </Text>
      {changes.is_same ? <Text>{say("review.same_long")}</Text> : <Figures changes={changes} />}
      {!changes.is_same && changes.template.length === 0 && <Text>{say("review.text_same")}</Text>}
      <TextChanges texts={changes.template} />
      {!changes.is_same && settings.length > 0 && <Settings settings={settings} />}
    </Section>
  );
}

function Figures({ changes }: { changes: Changes }) {
  const say = useSay();
  const rows = [
    ...Object.entries(changes.figures).map(([name, pair]) => ({
      name: say(`review.${name}`),
      ...pair,
    })),
    ...Object.entries(changes.exclusions)
      .filter(([, pair]) => pair.difference !== 0)
      .map(([reason, pair]) => ({ name: say(`review.reason_${reason}`), ...pair })),
  ];
  return (
    <ScrollBox label={say("review.since")}>
      <Table.Root size="sm" fontVariantNumeric="tabular-nums">
        <Table.Header>
          <Table.Row>
            <Table.ColumnHeader scope="col">{say("review.figure")}</Table.ColumnHeader>
            {["then", "now", "difference"].map((column) => (
              <Table.ColumnHeader key={column} scope="col" textAlign="end">
                {say(`review.${column}`)}
              </Table.ColumnHeader>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {rows.map((row) => (
            <Table.Row key={row.name}>
              <Table.ColumnHeader scope="row" fontWeight="normal">
                {row.name}
              </Table.ColumnHeader>
              <Table.Cell textAlign="end">
                <Count value={row.before} />
              </Table.Cell>
              <Table.Cell textAlign="end">
                <Count value={row.after} />
              </Table.Cell>
              <Table.Cell textAlign="end">
                <Difference value={row.difference} />
              </Table.Cell>
            </Table.Row>
          ))}
          <CostRow cost={changes.cost} />
        </Table.Body>
      </Table.Root>
    </ScrollBox>
  );
}

function Difference({ value }: { value: number }) {
  return <>{useIntl().formatNumber(value, { signDisplay: "exceptZero" })}</>;
}

function CostRow({ cost }: { cost: Changes["cost"] }) {
  const say = useSay();
  const amount = (value: string | null, currency: string) =>
    value === null || !currency ? "–" : <Money amount={value} currency={currency} />;
  if (cost.before === null && cost.after === null) {
    return null;
  }
  return (
    <Table.Row>
      <Table.ColumnHeader scope="row" fontWeight="normal">
        {say("review.cost")}
      </Table.ColumnHeader>
      <Table.Cell textAlign="end">{amount(cost.before, cost.currency.before)}</Table.Cell>
      <Table.Cell textAlign="end">{amount(cost.after, cost.currency.after)}</Table.Cell>
      <Table.Cell textAlign="end">{amount(cost.difference, cost.currency.after)}</Table.Cell>
    </Table.Row>
  );
}

function Settings({ settings }: { settings: Changes["settings"] }) {
  const say = useSay();
  return (
    <Stack gap={1}>
      <Heading as="h3" size="sm">
        {say("review.settings_changed")}
      </Heading>
      <Box as="ul" ps={5} listStyleType="disc">
        {settings.map((one) => (
          <Text as="li" key={one.path} overflowWrap="anywhere" fontSize="sm">
            {one.path}: {written(one.before)} → {written(one.after)}
          </Text>
        ))}
      </Box>
    </Stack>
  );
}

function written(value: unknown): string {
  if (value === null || value === undefined) {
    return "–";
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

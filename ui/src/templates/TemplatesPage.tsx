import { Badge, Link, Stack, Table, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Link as RouterLink } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Asked } from "~/parts/Asked";
import { Empty } from "~/parts/Empty";
import { ListTable } from "~/parts/ListTable";
import { Page } from "~/parts/Page";
import { deliveryAddress, templateAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";

type Template = components["schemas"]["TemplateSummary"];
const COLUMNS = ["name", "sender", "languages", "class", "state", "used_by"] as const;

/** Every delivery template that this server can read. */
export function TemplatesPage() {
  const say = useSay();
  const found = useQuery({
    queryKey: ["templates"],
    queryFn: () => answerOf(api.GET("/api/v1/templates")),
  });
  return (
    <Page title={say("navigation.templates")}>
      <Text color="fg.muted">{say("templates.text")}</Text>
      <Asked query={found} failed={say("templates.failed")}>
        {(all) => <List {...all} />}
      </Asked>
    </Page>
  );
}

function List({ is_readable, templates }: components["schemas"]["Templates"]) {
  const say = useSay();
  if (templates.length === 0) {
    const kind = is_readable ? "empty" : "unreadable";
    return <Empty title={say(`templates.${kind}`)}>{say(`templates.${kind}_text`)}</Empty>;
  }
  return (
    <ListTable
      label={say("navigation.templates")}
      columns={COLUMNS}
      head={(name) => say(`templates.column_${name}`)}
      isFramed
    >
      {templates.map((one) => (
        <Line key={one.name} template={one} />
      ))}
    </ListTable>
  );
}

function Line({ template }: { template: Template }) {
  const say = useSay();
  return (
    <Table.Row verticalAlign="top">
      <Table.Cell>
        <Link asChild variant="underline" fontWeight="medium">
          <RouterLink to={templateAddress(template.name)}>{template.name}</RouterLink>
        </Link>
        <Text color="fg.muted">{template.label}</Text>
      </Table.Cell>
      <Table.Cell>{template.sender || say("templates.gateways_own")}</Table.Cell>
      <Table.Cell>{template.languages.join(", ") || "–"}</Table.Cell>
      <Table.Cell>
        {template.message_class ? say(`templates.class_${template.message_class}`) : "–"}
      </Table.Cell>
      <Table.Cell>
        <Health template={template} />
      </Table.Cell>
      <Table.Cell>
        <Stack gap={0}>
          {template.used_by.length === 0 && say("templates.unused")}
          {template.used_by.map((use) => (
            <Link asChild variant="underline" key={use.dag_id}>
              <RouterLink to={deliveryAddress(use.delivery)}>{use.dag_id}</RouterLink>
            </Link>
          ))}
        </Stack>
      </Table.Cell>
    </Table.Row>
  );
}

function Health({ template }: { template: Template }) {
  const say = useSay();
  const wrong = template.problems.length + template.notes.filter((one) => one.is_problem).length;
  if (wrong > 0) {
    return <Badge colorPalette="red">{say("templates.problems", { count: wrong })}</Badge>;
  }
  if (template.notes.length > 0) {
    const count = template.notes.length;
    return <Badge colorPalette="orange">{say("templates.advice", { count })}</Badge>;
  }
  return <Badge colorPalette="green">{say("templates.good")}</Badge>;
}

import { Box, HStack, Link, Stack, Text } from "@chakra-ui/react";
import { Fragment } from "react";
import { useIntl } from "react-intl";
import { Link as RouterLink } from "react-router-dom";
import type { components } from "~/api/schema";
import { ScrollBox } from "~/parts/ScrollBox";
import { Section } from "~/parts/Section";
import { deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { levelsOf } from "./levels";

type Workflow = components["schemas"]["WorkflowDetail"];
type Node = Workflow["nodes"][number];
type Arrow = Workflow["arrows"][number];

const COLOURS: Record<string, string> = {
  success: "green",
  running: "blue",
  deferred: "orange",
  awaiting_input: "orange",
  queued: "gray",
  scheduled: "gray",
  failed: "red",
  skipped: "gray",
  upstream_failed: "red",
  up_for_retry: "orange",
};

/** The tasks of a workflow from left to right, with what each hands to the next: a list to readers. */
export function Graph({ workflow }: { workflow: Workflow }) {
  const say = useSay();
  const levels = levelsOf(workflow.nodes);
  const about = workflow.run_id
    ? say("workflows.graph_of", { run: workflow.run_id })
    : say("workflows.graph_empty");
  return (
    <Section title={say("workflows.graph")}>
      <Text color="fg.muted" overflowWrap="anywhere">
        {about}
      </Text>
      <ScrollBox label={say("workflows.graph")}>
        <HStack as="ol" listStyleType="none" gap={0} alignItems="stretch" minW="max-content" py={1}>
          {levels.map((nodes, level) => (
            <Fragment key={nodes[0]?.task_id}>
              {level > 0 && (
                <Between arrows={workflow.arrows} before={levels[level - 1]} after={nodes} />
              )}
              <Stack as="li" gap={3} justify="center">
                {nodes.map((node) => (
                  <TaskBox key={node.task_id} node={node} arrows={workflow.arrows} />
                ))}
              </Stack>
            </Fragment>
          ))}
        </HStack>
      </ScrollBox>
    </Section>
  );
}

type BetweenProps = { arrows: Arrow[]; before: Node[] | undefined; after: Node[] };

/** The arrows from one level to the next. Readers hear of them with the task they lead to. */
function Between({ arrows, before, after }: BetweenProps) {
  const intl = useIntl();
  const isIn = (nodes: Node[] | undefined, id: string) =>
    Boolean(nodes?.some((node) => node.task_id === id));
  const shown = arrows.filter((one) => isIn(before, one.source) && isIn(after, one.target));
  return (
    <Stack as="li" aria-hidden="true" gap={3} justify="center" px={1} minW="3.5rem">
      {shown.map((one) => (
        <Box key={`${one.source} ${one.target}`} textAlign="center">
          <Text fontWeight="semibold" fontVariantNumeric="tabular-nums" minH="1.5em">
            {one.count === null ? "" : intl.formatNumber(one.count)}
          </Text>
          <svg width="100%" height="12" viewBox="0 0 80 12" preserveAspectRatio="none" role="none">
            <path d="M0 6 H78 M70 1 L78 6 L70 11" fill="none" stroke="currentColor" />
          </svg>
        </Box>
      ))}
    </Stack>
  );
}

function TaskBox({ node, arrows }: { node: Node; arrows: Arrow[] }) {
  const say = useSay();
  const intl = useIntl();
  const state = node.state ?? "none";
  const known = state === "none" || state in COLOURS ? state : "other";
  const title = say(`workflows.task_${node.kind}`);
  return (
    <Box
      borderWidth="1px"
      borderLeftWidth="4px"
      borderLeftColor={`${COLOURS[state] ?? "gray"}.solid`}
      borderRadius="md"
      px={3}
      py={2}
      // What only readers hear stays in the box, not beside the page.
      position="relative"
    >
      <Text fontWeight="medium">
        {node.delivery ? (
          <Link asChild variant="underline">
            <RouterLink to={deliveryAddress(node.delivery)}>{title}</RouterLink>
          </Link>
        ) : (
          title
        )}
      </Text>
      <Text color="fg.muted" fontSize="sm">
        {node.task_id}
      </Text>
      <Text fontSize="sm">{say(`workflows.state_${known}`)}</Text>
      <Box srOnly>
        {arrows
          .filter((one) => one.target === node.task_id)
          .map(({ source, count }) =>
            count === null
              ? say("workflows.from", { source })
              : say("workflows.from_count", { source, count: intl.formatNumber(count) }),
          )
          .join(", ")}
      </Box>
    </Box>
  );
}

import { Badge, Box, HStack, Link } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import { useSay } from "~/words/useSay";
import { TABS, type Tab } from "./filters";
import { Bounded } from "./GroupTable";
import type { Counts } from "./useDeliveries";

const COUNTED = {
  attention: "attention",
  sending: "sending",
  finished: "finished_today",
  all: "all",
} as const;

type Props = { current: Tab; counts: Counts | undefined; address: URLSearchParams };

/** The tabs, as links: each has an address. The search stays from one to the next. */
export function TabLinks({ current, counts, address }: Props) {
  const say = useSay();
  return (
    <Box as="nav" aria-label={say("deliveries.tabs")} overflowX="auto">
      <HStack as="ul" gap={1} listStyleType="none">
        {TABS.map((tab) => (
          <li key={tab}>
            <Link
              asChild
              variant="plain"
              px={3}
              py={2}
              borderRadius="md"
              css={CURRENT}
              whiteSpace="nowrap"
            >
              <RouterLink
                to={{ search: `?${searchOf(tab, address)}` }}
                aria-current={tab === current ? "page" : undefined}
              >
                {say(`deliveries.tab_${tab}`)}
                <Badge minW="2.5rem" justifyContent="center">
                  {counts ? <Bounded value={counts[COUNTED[tab]]} /> : "…"}
                </Badge>
              </RouterLink>
            </Link>
          </li>
        ))}
      </HStack>
    </Box>
  );
}

function searchOf(tab: Tab, address: URLSearchParams): string {
  const search = new URLSearchParams({ tab });
  for (const name of ["q", "workflow"]) {
    const value = address.get(name);
    if (value) {
      search.set(name, value);
    }
  }
  return search.toString();
}

const CURRENT = {
  '&[aria-current="page"]': { fontWeight: "semibold", bg: "bg.emphasized" },
};

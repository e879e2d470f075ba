import { Box, HStack, Link } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import { type DeliveryTab, deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { TABS } from "./tabs";

const CURRENT = {
  '&[aria-current="page"]': { fontWeight: "semibold", bg: "bg.emphasized" },
};

/** The parts of a delivery's page, as links: each has an address. */
export function TabLinks({ id, current }: { id: string; current: DeliveryTab }) {
  const say = useSay();
  return (
    <Box as="nav" aria-label={say("delivery.tabs")} overflowX="auto">
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
                to={deliveryAddress(id, tab)}
                aria-current={tab === current ? "page" : undefined}
              >
                {say(`delivery.tab_${tab}`)}
              </RouterLink>
            </Link>
          </li>
        ))}
      </HStack>
    </Box>
  );
}

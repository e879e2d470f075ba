import { Box, Flex, HStack, Link } from "@chakra-ui/react";
import { NavLink, useLocation } from "react-router-dom";
import { useCurrentInView } from "~/parts/useCurrentInView";
import { SwitchButton } from "~/switch/SwitchButton";
import { useSay } from "~/words/useSay";
import { ROOT } from "./addresses";

const PAGES = [
  "deliveries",
  "workflows",
  "audiences",
  "templates",
  "opt-outs",
  "quarantine",
  "gateways",
] as const;

/** The way between our pages, and the way to stop everything. */
export function Navigation() {
  const say = useSay();
  const box = useCurrentInView<HTMLDivElement>(useLocation().pathname);
  return (
    <Flex
      direction={{ base: "column-reverse", md: "row" }}
      alignItems={{ base: "end", md: "center" }}
      gap={2}
      borderBottomWidth="1px"
    >
      <Box ref={box} as="nav" aria-label="smsflow" overflowX="auto" flex={1} minW={0} w="full">
        <HStack as="ul" gap={1} listStyleType="none">
          {PAGES.map((page) => (
            <li key={page}>
              <Link asChild variant="plain" px={3} py={2} whiteSpace="nowrap" css={CURRENT}>
                <NavLink to={`${ROOT}/${page}`}>{say(`navigation.${page}`)}</NavLink>
              </Link>
            </li>
          ))}
        </HStack>
      </Box>
      <SwitchButton />
    </Flex>
  );
}

const CURRENT = {
  // Inside: the box around cuts off what stands out.
  "&:focus-visible": { outlineOffset: "-2px" },
  '&[aria-current="page"]': {
    fontWeight: "semibold",
    borderBottomWidth: "2px",
    borderColor: "colorPalette.solid",
  },
};
